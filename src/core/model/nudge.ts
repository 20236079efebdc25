import type { NudgeMode } from '../actions.ts';
import type { AgentId, AttemptId } from './ids.ts';

/**
 * `pending`: on its way. `delivered`: the runner put it into the live session. `queued`: the runtime takes no words in
 * mid-session, so it waits with the agent's mail. `expired`: too late to be worth anything.
 */
export const NUDGE_STATES = ['pending', 'delivered', 'queued', 'expired'] as const;
export type NudgeState = (typeof NUDGE_STATES)[number];

/** A short word for one session of an agent. */
export interface NewNudge {
  readonly id: string;
  /** The same key is the same nudge. */
  readonly key: string;
  readonly agent: AgentId;
  readonly attempt: AttemptId;
  readonly from: string;
  readonly text: string;
  readonly mode: NudgeMode;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface Nudge extends NewNudge {
  readonly state: NudgeState;
}
