import { TownError } from '../core/errors.ts';
import { parseAddress } from '../core/model/mail.ts';
import type { TownActors } from './town-actors.ts';

/**
 * The addresses behind an address: every living agent of a group, or the one address itself.
 * Errors: `unknown_recipient` for a rig that is not there, `empty_group`.
 */
export function receiversOf(actors: TownActors, to: string): readonly string[] {
  const address = parseAddress(to);
  if (address.kind !== 'group') return [address.text];
  const rigs = actors.rigs().filter((rig) => address.of === null || rig.view.config().name === address.of);
  if (address.of !== null && rigs.length === 0)
    throw new TownError(
      'not_found',
      'unknown_recipient',
      { message: `There is no rig ${address.of}; nothing was sent.`, next: 'Rigs of the town: "gt rig list".' },
      { field: 'to' },
    );
  const members = rigs.flatMap((rig) => rig.queries.agents()).filter((agent) => agent.status !== 'dead');
  if (members.length === 0)
    throw new TownError(
      'not_found',
      'empty_group',
      {
        message: `${address.text} has no agents yet; nothing was sent.`,
        next: 'Agents are made when work is given to them: "gt agents" lists them.',
      },
      { field: 'to' },
    );
  return members.map((agent) => agent.id);
}
