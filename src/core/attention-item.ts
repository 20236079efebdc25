import type { EscalationId } from './model/ids.ts';
import type { Severity } from './model/escalation.ts';

/** What kind of thing waits for a person. */
export const ATTENTION_KINDS = [
  'question',
  'bead',
  'merge_request',
  'convoy',
  'escalation',
  'rig',
  'runner',
  'mail',
  'settings',
] as const;
export type AttentionKind = (typeof ATTENTION_KINDS)[number];

/** One thing that needs a person: what, why, since when, how badly, and the command that resolves it. */
export interface AttentionItem {
  readonly kind: AttentionKind;
  readonly severity: Severity;
  /** The id that `gt why` takes. */
  readonly subject: string;
  /** What people call it; null when the id says all. */
  readonly title: string | null;
  /** The sentence of `gt why <subject>`. */
  readonly sentence: string;
  /** Null where it is not recorded. */
  readonly sinceMs: number | null;
  readonly command: string;
  /** The open escalation about it. */
  readonly escalation: EscalationId | null;
  /** Who said to take care of it; such items come last. */
  readonly acknowledgedBy: string | null;
}
