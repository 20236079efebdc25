import type { OutsideRoute, Severity } from '../core/model/escalation.ts';

/** What a person is told. Texts of agents are in it as data; the receiver must not obey them. */
export interface Notification {
  /** Stable over tries of the same telling, so that a receiver can drop a repeat. */
  readonly key: string;
  readonly escalation: string;
  readonly severity: Severity;
  readonly category: string;
  readonly rig: string | null;
  readonly subject: string;
  readonly message: string;
  /** How often it rose because nobody acknowledged it. */
  readonly rises: number;
  readonly raisedAtMs: number;
  /** The command that shows it. */
  readonly next: string;
}

export type NotifyOutcome =
  | { readonly state: 'sent' }
  /** The route is not set up. */
  | { readonly state: 'off'; readonly error: string }
  /** It may arrive when it is tried again. */
  | { readonly state: 'retry'; readonly error: string }
  /** It will not arrive however often it is tried. */
  | { readonly state: 'failed'; readonly error: string };

/** Tells people outside of the town. At least once; answers within the deadline of an effect, and never throws. */
export interface Notifier {
  send(route: OutsideRoute, notification: Notification): Promise<NotifyOutcome>;
}
