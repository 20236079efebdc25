import { TownError } from '../core/errors.ts';
import { parseAddress, type Address } from '../core/model/mail.ts';
import { askAll, type AskedRig } from './asked.ts';
import type { TownActors } from './town-actors.ts';

/**
 * The addresses behind an address: every living agent or crew member of a group, or the one address itself. A group does
 * not write to itself: `sender` is left out.
 * Errors: `unknown_recipient` for a rig that is not there, `empty_group`.
 */
export async function receiversOf(actors: TownActors, to: string, sender: string): Promise<readonly string[]> {
  const address = parseAddress(to);
  if (address.kind !== 'group') return [address.text];
  const rigs = actors.rigs().filter((rig) => address.of === null || rig.name === address.of);
  if (address.of !== null && rigs.length === 0)
    throw nobody('unknown_recipient', `There is no rig ${address.of}`, 'Rigs of the town: "gt rig list".');
  const all = (await askAll(rigs, (rig) => membersOf(rig, address))).flat();
  const members = all.filter((member) => member !== sender);
  if (members.length > 0) return members;
  throw address.members === 'crew'
    ? nobody('empty_group', `${address.text} has no members`, `Name them in gastown.toml: crew = ["ada"].`)
    : nobody(
        'empty_group',
        `${address.text} has no ${sender === '' ? '' : 'other '}agents yet`,
        'Agents are made when work is given to them: "gt agents" lists them.',
      );
}

async function membersOf(
  rig: AskedRig,
  group: Extract<Address, { readonly kind: 'group' }>,
): Promise<readonly string[]> {
  const { name, crew } = await rig.view.config();
  if (group.members === 'crew') return (crew ?? []).map((member) => `${name}/crew/${member}`);
  const agents = await rig.queries.agents();
  return agents.filter((agent) => agent.status !== 'dead').map((agent) => agent.id);
}

const nobody = (code: string, what: string, next: string): TownError =>
  new TownError('not_found', code, { message: `${what}; nothing was sent.`, next }, { field: 'to' });
