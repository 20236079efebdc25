import { unreachable } from '../core/assert.ts';
import type { BeadCommand, Caller, EscalationCommand } from '../core/commands.ts';
import { conflict, notFound, usage } from '../core/errors.ts';
import { isTerminal } from '../core/model/bead.ts';
import { isConvoyEnded } from '../core/model/convoy.ts';
import { causeOf, type Escalation, type EscalationOption } from '../core/model/escalation.ts';
import { isBeadId, isConvoyId, parseBeadId, parseConvoyId, prefixOf, type EscalationId } from '../core/model/ids.ts';
import type { BeadSummary, EscalationSummary } from '../core/queries.ts';
import type { TownActors } from './town-actors.ts';

/** One escalation with how it was told and what may be answered. */
export async function escalationSummary(actors: TownActors, item: Escalation): Promise<EscalationSummary> {
  return {
    ...item,
    status: item.resolvedAtMs !== null ? 'resolved' : item.acknowledgedAtMs !== null ? 'acknowledged' : 'open',
    routes: actors.town.view.escalationRoutes(item.id),
    options: item.resolvedAtMs === null ? await optionsOf(actors, item) : [],
  };
}

/** What a person can choose now; it follows from the state of what the escalation is about. */
async function optionsOf(actors: TownActors, item: Escalation): Promise<readonly EscalationOption[]> {
  const { kind, id } = causeOf(item.causeKey);
  if (kind === 'bead' && isBeadId(id)) return lettered(await beadOptions(actors, id));
  if (kind === 'convoy' && isConvoyId(id)) return lettered(convoyOptions(actors, id));
  return [];
}

type Unlettered = Omit<EscalationOption, 'key'>;
const lettered = (options: readonly Unlettered[]): readonly EscalationOption[] =>
  options.map((option, index) => ({ key: 'ABC'.charAt(index), ...option }));

async function beadOptions(actors: TownActors, id: string): Promise<readonly Unlettered[]> {
  const bead = (await actors.rigByPrefix(prefixOf(parseBeadId(id)))?.tryBeadSummary(parseBeadId(id))) ?? null;
  if (bead === null || isTerminal(bead.status)) return [];
  const isHeld = bead.hold === 'held' || bead.hold === 'needs_human' || bead.hold === 'parked';
  return [
    { name: 'retry', what: `${id} and its merge request go back in line, and its failures are counted from zero.` },
    // A landing is what its convoy wants, and ends with that.
    ...(bead.kind === 'landing' ? [] : [cancelOf(bead)]),
    ...(isHeld
      ? [
          {
            name: 'release' as const,
            what: `${id} is no longer held; its failures stay counted, so one more may end it.`,
          },
        ]
      : []),
  ];
}

const cancelOf = ({ id, kind, convoyId }: BeadSummary): Unlettered => ({
  name: 'cancel',
  what:
    kind === 'revert'
      ? `${id} is closed as cancelled; "gt convoy revert ${convoyId ?? '<convoy>'}" makes another.`
      : `${id} is closed as cancelled; what waits for it is blocked.`,
});

function convoyOptions(actors: TownActors, id: string): readonly Unlettered[] {
  const convoy = actors.town.view.convoy(parseConvoyId(id));
  if (convoy === null || isConvoyEnded(convoy.status)) return [];
  return [
    { name: 'skip', what: 'What waits for a failed bead is cancelled; the rest lands, partially.' },
    { name: 'abort', what: 'What has not started is cancelled, and the convoy fails if a bead failed.' },
    { name: 'cancel', what: 'All that has not ended is cancelled, and the convoy is closed.' },
  ];
}

/** Acknowledges, resolves, or applies a decision. Answers the escalation after it. */
export async function commandEscalation(
  actors: TownActors,
  id: EscalationId,
  command: EscalationCommand,
  caller: Caller,
): Promise<EscalationSummary> {
  switch (command.type) {
    case 'ack':
      await actors.town.acknowledge(id, caller);
      break;
    case 'resolve':
      await actors.town.resolve(id, command.note, caller);
      break;
    case 'decide':
      await decide(actors, id, command.option, caller);
      break;
    default:
      unreachable(command, 'escalation command');
  }
  return escalationSummary(actors, known(actors, id));
}

function known(actors: TownActors, id: EscalationId): Escalation {
  const item = actors.town.view.escalation(id);
  if (item === null) throw notFound('escalation', id);
  return item;
}

/**
 * What is meant is settled first, under the caller's key: options go once the answer is applied, and a repeat must mean
 * the same. Then the answer is applied, under a key of its own, and recorded: a crash in between leaves a repeat to do,
 * which does not apply it twice.
 */
async function decide(actors: TownActors, id: EscalationId, wanted: string, caller: Caller): Promise<void> {
  const option = actors.town.choice(id, caller) ?? (await choose(actors, known(actors, id), wanted));
  const name = await actors.town.chosen(id, option, caller);
  if (known(actors, id).decision === name) return;
  // What was read is the escalation: its version says nothing about what the answer is applied to.
  const once: Caller = { ...caller, idempotencyKey: `decide:${id}:${name}`, ifMatch: undefined };
  await apply(actors, known(actors, id), name, once);
  await actors.town.decided(id, name, caller);
}

/** The name of the option that was answered, or of the decision that it repeats. */
async function choose(actors: TownActors, item: Escalation, wanted: string): Promise<string> {
  const { id } = item;
  if (item.decision === wanted) return wanted;
  if (item.resolvedAtMs !== null)
    throw conflict(
      'escalation_resolved',
      `${id} is resolved already${item.decision === null ? '' : ` (${item.decision})`}.`,
      'Nothing needs to be done.',
    );
  const options = await optionsOf(actors, item);
  const option = options.find((one) => one.name === wanted || one.key === wanted.toUpperCase());
  if (option !== undefined) return option.name;
  throw usage(
    'no_such_option',
    `${id} has no option ${JSON.stringify(wanted.slice(0, 40))}.`,
    options.length === 0
      ? `It has none; acknowledge it with "gt escalation ack ${id}" or end it with "gt escalation resolve ${id}".`
      : `Choose ${options.map((one) => `${one.key} (${one.name})`).join(', ')}.`,
    'option',
  );
}

async function apply(actors: TownActors, item: Escalation, name: string, caller: Caller): Promise<void> {
  const { kind, id } = causeOf(item.causeKey);
  if (kind === 'convoy') {
    const convoy = parseConvoyId(id);
    if (name === 'skip' || name === 'abort') await actors.town.updateConvoy(convoy, { onFailure: name }, caller);
    else await actors.town.closeConvoy(convoy, `decided on ${item.id}`, caller);
    return;
  }
  const bead = parseBeadId(id);
  const rig = actors.rigByPrefix(prefixOf(bead));
  if (rig === null) throw notFound('bead', bead);
  const commands: Readonly<Partial<Record<string, BeadCommand>>> = {
    retry: { type: 'retry', bead },
    release: { type: 'release', bead },
    cancel: { type: 'close', bead, reason: 'cancelled', note: `decided on ${item.id} by ${caller.actor}` },
  };
  const command = commands[name];
  if (command !== undefined) await rig.beadCommand(command, caller);
}
