/**
 * `unknown`: never asked, or idle since. `ok`: answered the last question. `suspect`: missed one or two. `down`: missed
 * three in a row. Only while there is live work is anybody asked.
 */
export const HEALTH_STATES = ['unknown', 'ok', 'suspect', 'down'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/** What the watchdog knows of one rig (`rig:<name>`) or of the runner. */
export interface Health {
  readonly subject: string;
  readonly state: HealthState;
  /** Unanswered questions in a row. */
  readonly missed: number;
  readonly answeredAtMs: number | null;
  readonly askedAtMs: number | null;
  /** One sentence of the last answer or of the last failure. */
  readonly detail: string | null;
}

/** A rig's answer about itself. */
export interface RigHealth {
  /** When it last changed anything. */
  readonly lastTickAtMs: number | null;
  /** Facts and effects that wait. */
  readonly backlog: number;
  /** Events that were set aside. */
  readonly quarantined: number;
  /** How long the oldest timer that is due has been waiting: above zero only when the loop stands still. */
  readonly lagMs: number;
}

/** One answer, or none. */
export type Seen =
  | { readonly subject: string; readonly ok: true; readonly detail: string; readonly lagMs: number }
  | { readonly subject: string; readonly ok: false; readonly detail: string };

export const RUNNER_SUBJECT = 'runner';
export const DAEMON_SUBJECT = 'daemon';
export const rigSubject = (rig: string): string => `rig:${rig}`;
