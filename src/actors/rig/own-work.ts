import type { NudgeMode } from '../../core/actions.ts';
import type { Priority } from '../../core/model/bead.ts';
import { conflict, precondition, usage } from '../../core/errors.ts';
import { FOLLOW_UPS_PER_SESSION_MAX, NEIGHBOUR_NUDGES_MAX } from '../../core/limits.ts';
import { sourceOf } from '../../core/model/bead.ts';
import type { AgentId, AttemptId, BeadId } from '../../core/model/ids.ts';
import type { Nudge } from '../../core/model/nudge.ts';
import { must } from '../../core/assert.ts';
import type { AttemptFacts } from '../../core/view.ts';
import { createdSoMany } from '../../store/own-work-store.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigCommands } from './rig-commands.ts';
import type { RigContext } from './rig-context.ts';
import type { RigTalk } from './rig-talk.ts';

/** Follow-up work as an agent notes it. */
export interface FollowUp {
  readonly title: string;
  readonly body: string;
  readonly priority: Priority;
}

/**
 * Follow-up work that an agent noticed: a bead of its rig, linked to the one it works on, and only recorded. Who gives
 * work out decides whether it runs. Errors: `superseded`, `too_many_follow_ups`.
 */
export function followUp(
  rig: RigContext,
  turn: Turn,
  commands: RigCommands,
  noted: { readonly attempt: AttemptId; readonly draft: FollowUp },
): BeadId {
  const attempt = live(rig, noted.attempt);
  const mine = { by: attempt.agentId, sinceMs: attempt.startedAtMs, count: FOLLOW_UPS_PER_SESSION_MAX };
  if (createdSoMany(rig.sql, mine))
    throw precondition(
      'too_many_follow_ups',
      `This session has noted ${String(FOLLOW_UPS_PER_SESSION_MAX)} beads; it may note no more.`,
      'Put the rest into one mail to the mayor: gt mail send mayor/ "<subject>" --body "<list>".',
    );
  const bead = must(rig.view.bead(attempt.beadId), 'an attempt has its bead');
  return commands.createBead(
    turn,
    {
      rig: rig.view.config().name,
      ...noted.draft,
      dependsOn: [],
      runtime: null,
      model: null,
      targetBranch: null,
      sling: false,
      pinnedAgent: null,
      parentId: sourceOf(bead),
    },
    { actor: attempt.agentId, origin: 'agent' },
  );
}

/** A word of one agent to another of its rig. Errors: `superseded`, `own_nudge`, `too_many_nudges`, those of a nudge. */
export function nudgeNeighbour(
  rig: RigContext,
  turn: Turn,
  talk: RigTalk,
  said: { readonly by: AttemptId; readonly to: AgentId; readonly text: string; readonly mode: NudgeMode },
): Nudge {
  const attempt = live(rig, said.by);
  const from = attempt.agentId;
  if (from === said.to) throw usage('own_nudge', 'That is you.', 'Go on with your work.', 'agent');
  if (rig.nudges.sentSince(from, attempt.startedAtMs) >= NEIGHBOUR_NUDGES_MAX)
    throw precondition(
      'too_many_nudges',
      `This session has nudged others ${String(NEIGHBOUR_NUDGES_MAX)} times; it may do so no more.`,
      `Write a mail: gt mail send ${said.to} "<subject>".`,
    );
  return talk.nudge(turn, said.to, { text: said.text, mode: said.mode, from });
}

function live(rig: RigContext, id: AttemptId): AttemptFacts {
  const attempt = rig.view.attempt(id);
  if (attempt !== null && attempt.endedAtMs === null) return attempt;
  throw conflict('superseded', `The attempt ${id} has ended.`, 'Stop working: what you committed is kept.');
}
