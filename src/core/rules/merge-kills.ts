import { GATE_KILLS_MAX } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { Probe } from '../model/train.ts';
import { killMark } from '../train/marks.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { redGate } from './gate-verdict.ts';
import { gatesJob } from './merge-candidates.ts';
import { decide } from './merge-push.ts';
import { askPerson } from './refused-push.ts';
import { backToLine } from './back-in-line.ts';
import type { RigVerdicts } from './rule.ts';

/**
 * Something else ended gates of a round: they run again, and nobody's work is blamed. What ends one ends those beside it,
 * so that it counts once for the round. When it goes on, lists of several are tested apart, and only an entry whose own
 * list is ended waits for a person: whoever stands before it in line goes on.
 */
export function killedGates(view: RigView, leader: ReviewFacts, killed: readonly Probe[]): RigVerdicts {
  const red = redGate(killed[0]?.run ?? undefined);
  const gateKills = leader.gateKills + 1;
  const what = `gate ${red.name} was ended by ${red.killedBy ?? 'a signal'}`;
  if (gateKills < GATE_KILLS_MAX)
    return decide(leader, `${what}, which says nothing about the work; it runs again`, [
      {
        type: 'merge_step',
        mergeRequest: leader.beadId,
        fromStep: 'gating',
        toStep: 'gating',
        job: null,
        gateKills,
      },
      ...killed.map(({ key, commit }) => ({ type: 'repeat_probe' as const, key, job: gatesJob(view, leader, commit) })),
    ]);
  const round = view.round(leader.targetBranch);
  return decide(
    leader,
    `${what} too often`,
    round.flatMap((member) => putBack(member, { leader, killed, what, gateKills })),
  );
}

interface Ended {
  readonly leader: ReviewFacts;
  readonly killed: readonly Probe[];
  readonly what: string;
  readonly gateKills: number;
}

function putBack(member: ReviewFacts, { leader, killed, what, gateKills }: Ended): readonly RigAction[] {
  const back = (heldReason: string | null, suspect?: string): readonly RigAction[] => [
    {
      type: 'merge_step',
      mergeRequest: member.beadId,
      fromStep: 'gating',
      toStep: 'queued',
      job: null,
      heldReason,
      gateKills: 0,
      ...(suspect === undefined ? {} : { suspect }),
    },
    backToLine(member),
  ];
  const list = shortestWith(member, killed);
  // The target by itself is nobody's work, but somebody has to look at the machine.
  const isTarget = member.beadId === leader.beadId && killed.every(({ entries }) => entries.length === 0);
  if (list?.entries.length === 1 || isTarget) {
    const question = `The ${what} ${String(gateKills)} times on ${member.sourceBeadId}: out of memory, or stopped by somebody. Its work is not blamed. When the machine is well: "gt bead retry ${member.sourceBeadId}".`;
    return [...back(what), ...askPerson(member, question)];
  }
  if (list === undefined) return back(member.heldReason);
  return back(`${what} on it and others; they are tested apart`, killMark(nameOf(leader, list)));
}

const shortestWith = (member: ReviewFacts, killed: readonly Probe[]): Probe | undefined =>
  killed
    .filter(({ entries }) => entries.some(({ mergeRequest }) => mergeRequest === member.beadId))
    .toSorted((a, b) => a.entries.length - b.entries.length)[0];

const nameOf = (leader: ReviewFacts, list: Probe): string =>
  `${leader.beadId}:${String(leader.version)}:${list.entries[0]?.mergeRequest ?? ''}`;
