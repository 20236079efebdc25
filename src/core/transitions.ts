/**
 * The only legal status changes. This table drives the guard (`store/` refuses anything else), the documentation and
 * the tests; the reason column is what a person reads in the journal's legend.
 */
import type { AgentStatus } from './model/agent.ts';
import type { BeadStatus, BeadType, BeadKind } from './model/bead.ts';
import type { ConvoyStatus } from './model/convoy.ts';
import type { MergeStep } from './model/review.ts';

export interface Transition<Status extends string> {
  readonly from: Status;
  readonly to: Status;
  readonly when: string;
}

const TASK: readonly Transition<BeadStatus>[] = [
  { from: 'open', to: 'in_progress', when: 'dispatched to an agent' },
  { from: 'in_progress', to: 'in_review', when: 'done, and the evidence was verified' },
  { from: 'in_progress', to: 'open', when: 'the attempt ended without an accepted done' },
  { from: 'in_review', to: 'closed', when: 'its merge request merged, or cancelled' },
  { from: 'in_review', to: 'open', when: 'its merge request failed terminally' },
  { from: 'open', to: 'failed', when: 'attempts exhausted, or given up by a person' },
  { from: 'in_progress', to: 'failed', when: 'attempts exhausted, or given up by a person' },
  { from: 'in_review', to: 'failed', when: 'attempts exhausted, or given up by a person' },
  { from: 'open', to: 'closed', when: 'cancelled or no change needed' },
  { from: 'in_progress', to: 'closed', when: 'cancelled or no change needed' },
];

/** Landing beads need no agent: their work is on the convoy's feature branch. */
const LANDING: readonly Transition<BeadStatus>[] = [
  { from: 'open', to: 'in_review', when: 'the feature branch is checked, and its merge request is in line' },
  { from: 'open', to: 'closed', when: 'its convoy was cancelled' },
  { from: 'in_review', to: 'closed', when: 'its merge request merged, or its convoy was cancelled' },
  { from: 'in_review', to: 'failed', when: 'its merge request was given up; the convoy may try again' },
];

/** The commits of a revert are made by the runner; only where that is not possible does an agent work on it. */
const REVERT: readonly Transition<BeadStatus>[] = [
  { from: 'open', to: 'in_review', when: 'the runner made the revert, and its merge request is in line' },
  ...TASK,
];

/** Rework, conflict and feedback beads continue their source's branch and are integrated; a review of it ends with its word. */
const CONTINUATION: readonly Transition<BeadStatus>[] = [
  { from: 'open', to: 'in_progress', when: 'dispatched to an agent' },
  { from: 'in_progress', to: 'open', when: 'the attempt ended without an accepted done' },
  { from: 'in_progress', to: 'closed', when: 'integrated into the merge request, reviewed, or cancelled' },
  { from: 'open', to: 'closed', when: 'cancelled, or its source ended' },
  { from: 'open', to: 'failed', when: 'attempts exhausted, or given up by a person' },
  { from: 'in_progress', to: 'failed', when: 'attempts exhausted, or given up by a person' },
];

const MERGE_REQUEST: readonly Transition<BeadStatus>[] = [
  { from: 'open', to: 'in_progress', when: 'the train took it' },
  { from: 'in_progress', to: 'open', when: 'back in line: rework, a lost race, or a retry' },
  { from: 'in_progress', to: 'closed', when: 'merged' },
  { from: 'open', to: 'closed', when: 'its source ended' },
  { from: 'open', to: 'failed', when: 'given up, with its source' },
  { from: 'in_progress', to: 'failed', when: 'given up, with its source' },
];

export const AGENT_TRANSITIONS: readonly Transition<AgentStatus>[] = [
  { from: 'idle', to: 'starting', when: 'dispatched' },
  { from: 'starting', to: 'working', when: 'the runner confirmed the process' },
  { from: 'working', to: 'waiting', when: 'waits for a person or rests' },
  { from: 'waiting', to: 'working', when: 'goes on' },
  { from: 'starting', to: 'unknown', when: 'contact lost' },
  { from: 'working', to: 'unknown', when: 'contact lost' },
  { from: 'waiting', to: 'unknown', when: 'contact lost' },
  { from: 'stalled', to: 'unknown', when: 'contact lost' },
  { from: 'stopping', to: 'unknown', when: 'contact lost' },
  { from: 'unknown', to: 'working', when: 'contact is back' },
  { from: 'unknown', to: 'waiting', when: 'contact is back' },
  { from: 'unknown', to: 'stopping', when: 'its attempt ended' },
  { from: 'unknown', to: 'idle', when: 'proven gone' },
  { from: 'working', to: 'stalled', when: 'no activity (GUPP)' },
  { from: 'stalled', to: 'working', when: 'activity again' },
  { from: 'starting', to: 'stopping', when: 'its attempt ended' },
  { from: 'working', to: 'stopping', when: 'its attempt ended' },
  { from: 'waiting', to: 'stopping', when: 'its attempt ended' },
  { from: 'stalled', to: 'stopping', when: 'its attempt ended' },
  { from: 'stopping', to: 'idle', when: 'proven gone' },
  { from: 'idle', to: 'dead', when: 'retired' },
];

/** Steps of a merge request; `gating` to itself: a run that something else ended begins again. */
export const MERGE_STEP_TRANSITIONS: readonly Transition<MergeStep>[] = [
  { from: 'queued', to: 'preparing', when: 'the train took it into a round' },
  { from: 'queued', to: 'reworking', when: 'a person asked for changes' },
  { from: 'queued', to: 'ended', when: 'its source ended' },
  { from: 'preparing', to: 'gating', when: 'it merges cleanly, and gates run on lists with it' },
  { from: 'preparing', to: 'pushing', when: 'it merges cleanly, and there are no gates' },
  { from: 'preparing', to: 'queued', when: 'its round had no place for it, or fell apart' },
  { from: 'preparing', to: 'reworking', when: 'it conflicts with the target, or a person asked for changes' },
  { from: 'preparing', to: 'ended', when: 'it is on the target already, or its source ended' },
  { from: 'gating', to: 'gating', when: 'something else ended a run; it begins again' },
  { from: 'gating', to: 'pushing', when: 'a list with it passed' },
  { from: 'gating', to: 'queued', when: 'no list with it lands in this round, or the round fell apart' },
  { from: 'gating', to: 'reworking', when: 'red by itself twice on a green target, or a person asked for changes' },
  { from: 'gating', to: 'ended', when: 'its source ended, or its landing was given up' },
  { from: 'pushing', to: 'queued', when: 'somebody else pushed first, or the push was not taken in time' },
  { from: 'pushing', to: 'ended', when: 'the target has it' },
  { from: 'reworking', to: 'queued', when: 'its rework is done, or a person said so' },
  { from: 'reworking', to: 'ended', when: 'its source ended, or its landing was given up' },
  { from: 'queued', to: 'checking', when: 'its own gates come first, before its pull request' },
  { from: 'queued', to: 'opening', when: 'its pull request is to be opened or found' },
  { from: 'queued', to: 'proposed', when: 'its pull request takes the new head' },
  { from: 'queued', to: 'confirming', when: 'somebody merged its pull request meanwhile' },
  { from: 'checking', to: 'testing', when: 'it merges cleanly, and its gates run on that tree' },
  { from: 'checking', to: 'opening', when: 'that tree passed before, or its branch is there again' },
  { from: 'checking', to: 'proposed', when: 'git finds no conflict, or that tree passed before' },
  { from: 'checking', to: 'queued', when: 'the target can not be looked at' },
  { from: 'checking', to: 'reworking', when: 'it conflicts with the target, or a person asked for changes' },
  { from: 'checking', to: 'ended', when: 'it is on the target already, or its source ended' },
  { from: 'testing', to: 'testing', when: 'red or ended by something else: once more, then the target itself' },
  { from: 'testing', to: 'opening', when: 'its gates are green' },
  { from: 'testing', to: 'proposed', when: 'its gates are green' },
  { from: 'testing', to: 'queued', when: 'the target itself is red, or the gates can not run' },
  { from: 'testing', to: 'reworking', when: 'red twice on a green target, or a person asked for changes' },
  { from: 'testing', to: 'ended', when: 'its source ended, or its landing was given up' },
  { from: 'opening', to: 'opening', when: 'refused; asked again later, or when a person says so' },
  { from: 'opening', to: 'checking', when: 'the forge finds nothing to merge, or no branch; git is asked' },
  { from: 'opening', to: 'proposed', when: 'its pull request is there' },
  { from: 'opening', to: 'reworking', when: 'a person asked for changes' },
  { from: 'opening', to: 'ended', when: 'its source ended' },
  { from: 'proposed', to: 'checking', when: 'before the merge, or to find what conflicts' },
  { from: 'proposed', to: 'accepting', when: 'the policy holds' },
  { from: 'proposed', to: 'confirming', when: 'the forge says that somebody merged it' },
  { from: 'proposed', to: 'queued', when: "a person has it proposed anew, or the rig's forge is another one now" },
  { from: 'proposed', to: 'reworking', when: 'people or checks ask for changes' },
  { from: 'proposed', to: 'ended', when: 'its source ended' },
  { from: 'accepting', to: 'proposed', when: 'the forge refuses, queues it, or does not answer' },
  { from: 'accepting', to: 'confirming', when: 'the forge says merged' },
  { from: 'confirming', to: 'confirming', when: 'the target does not have it yet' },
  { from: 'confirming', to: 'proposed', when: 'the forge takes it back, or merged it elsewhere' },
  { from: 'confirming', to: 'reworking', when: 'the target does not have it, and an agent reworks it' },
  { from: 'confirming', to: 'queued', when: 'merged without its last commits; they get a pull request of their own' },
  { from: 'confirming', to: 'ended', when: 'the target has it' },
  { from: 'reworking', to: 'confirming', when: 'somebody merged its pull request meanwhile' },
];

export const CONVOY_TRANSITIONS: readonly Transition<ConvoyStatus>[] = [
  { from: 'creating', to: 'staged', when: 'all rigs acknowledged, start not asked for' },
  { from: 'creating', to: 'active', when: 'all rigs acknowledged' },
  { from: 'creating', to: 'failed', when: 'a rig refused its beads' },
  { from: 'creating', to: 'cancelled', when: 'given up by a person' },
  { from: 'staged', to: 'active', when: 'started' },
  { from: 'staged', to: 'cancelled', when: 'given up by a person' },
  { from: 'active', to: 'ready_to_land', when: 'every bead ended as the policy asks' },
  { from: 'active', to: 'failed', when: 'the failure policy says so' },
  { from: 'active', to: 'cancelled', when: 'given up by a person, or every bead was cancelled' },
  { from: 'ready_to_land', to: 'landed', when: 'the landing evidence is on the targets' },
  { from: 'ready_to_land', to: 'failed', when: 'landing attempts exhausted' },
  { from: 'ready_to_land', to: 'cancelled', when: 'given up by a person' },
];

/** Which table holds for a bead of this type and kind. */
export function beadTransitions(type: BeadType, kind: BeadKind): readonly Transition<BeadStatus>[] {
  if (type === 'merge_request') return MERGE_REQUEST;
  if (kind === 'landing') return LANDING;
  if (kind === 'revert') return REVERT;
  return kind === 'task' ? TASK : CONTINUATION;
}

/** True when the table has this change. Staying in a status is no transition. */
export function allows<Status extends string>(table: readonly Transition<Status>[], from: Status, to: Status): boolean {
  return table.some((row) => row.from === from && row.to === to);
}
