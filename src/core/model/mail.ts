import { usage } from '../errors.ts';
import {
  isAgentId,
  parseAgentId,
  parseRigName,
  trusted,
  type AgentId,
  type AttemptId,
  type MailId,
  type RigName,
} from './ids.ts';

/**
 * What a mail is about. People and agents write the first four; the others are said by the town itself, so that nobody
 * can pretend to be it.
 */
export const MAIL_KINDS = [
  'note',
  'help',
  'handoff',
  'lifecycle',
  'gupp_check',
  'merge_ready',
  'merged',
  'merge_failed',
  'rework_request',
  'heartbeat',
] as const;
export type MailKind = (typeof MAIL_KINDS)[number];
export const WRITABLE_MAIL_KINDS = ['note', 'help', 'handoff', 'lifecycle'] as const;
export type WritableMailKind = (typeof WRITABLE_MAIL_KINDS)[number];

/** Why a mail is at rest without having been read. `returned`: its sender was told. `withdrawn`: it was not true any more. */
export const MAIL_END_REASONS = ['returned', 'expired', 'withdrawn'] as const;
export type MailEndReason = (typeof MAIL_END_REASONS)[number];

export interface Mail {
  readonly id: MailId;
  /** The same key is the same mail, however often it is sent. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly kind: MailKind;
  readonly subject: string;
  readonly body: string;
  readonly replyTo: MailId | null;
  readonly createdAtMs: number;
  /** First shown to the receiver, and the session (attempt) to which it was shown last. */
  readonly deliveredAtMs: number | null;
  readonly deliveredAttempt: AttemptId | null;
  readonly readAtMs: number | null;
  readonly expiresAtMs: number;
  readonly endedAtMs: number | null;
  readonly endReason: MailEndReason | null;
}

/** A mail on its way. */
export interface NewMail {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly kind: MailKind;
  readonly subject: string;
  readonly body: string;
  readonly replyTo: MailId | null;
  /** Without it the ordinary life of a mail. */
  readonly expiresAtMs?: number;
}

/** What a caller writes; who sends it comes from the credential. */
export interface MailDraft {
  readonly to: string;
  readonly kind: WritableMailKind;
  readonly subject: string;
  readonly body: string;
  readonly replyTo: MailId | null;
}

/**
 * Who can be written to. Agents have a mailbox in their rig. `daemon/` executes lifecycle requests. Behind all others
 * stands code, not a reader: a person reads for them, in the town's mailbox.
 */
export type Address =
  | { readonly kind: 'human' | 'mayor' | 'daemon'; readonly text: string }
  | { readonly kind: 'witness' | 'refinery'; readonly text: string; readonly rig: RigName }
  | { readonly kind: 'agent'; readonly text: string; readonly rig: RigName; readonly agent: AgentId }
  /** A person who works on the rig by hand; the settings of the rig name them. */
  | { readonly kind: 'crew'; readonly text: string; readonly rig: RigName; readonly name: string }
  /** Every agent of a rig or of the town, or the crew of a rig: one mail each. */
  | {
      readonly kind: 'group';
      readonly text: string;
      readonly of: RigName | null;
      readonly members: 'polecats' | 'crew';
    };

export const HUMAN = 'human/';
export const DAEMON = 'daemon/';
export const witnessOf = (rig: RigName): string => `${rig}/witness`;

/** One form per receiver: `human/ada` is `human/`, since people share one mailbox. Errors: `bad_address`. */
export function parseAddress(text: string): Address {
  const slash = text.indexOf('/');
  const head = slash < 0 ? text : text.slice(0, slash);
  const tail = slash < 0 ? '' : text.slice(slash + 1);
  if (head === 'human') return { kind: 'human', text: HUMAN };
  const found = (tail === '' ? ofTown(head) : null) ?? ofRig(head, tail);
  if (found !== null) return found;
  if (tail.startsWith('crew/') && isAgentId(text))
    return { kind: 'crew', text, rig: parseRigName(head), name: tail.slice('crew/'.length) };
  if (isAgentId(text)) return { kind: 'agent', text, rig: trusted.rig(head), agent: parseAgentId(text) };
  throw usage(
    'bad_address',
    `${JSON.stringify(text.slice(0, 80))} is not an address.`,
    'Addresses: human/, mayor/, daemon/, <rig>/witness, <rig>/refinery, <rig>/polecats/<name>, <rig>/crew/<name>; groups: all, <rig>/polecats, <rig>/crew.',
    'to',
  );
}

function ofTown(head: string): Address | null {
  if (head === 'mayor' || head === 'daemon') return { kind: head, text: `${head}/` };
  return head === 'all' ? { kind: 'group', text: 'all/', of: null, members: 'polecats' } : null;
}

function ofRig(head: string, tail: string): Address | null {
  if (tail === 'witness' || tail === 'refinery') {
    const rig = parseRigName(head);
    return { kind: tail, text: `${rig}/${tail}`, rig };
  }
  if (tail !== 'polecats' && tail !== 'crew') return null;
  const of = parseRigName(head);
  return { kind: 'group', text: `${of}/${tail}`, of, members: tail };
}

/** True where the mailbox is the rig's own: it holds the mail of its agents and of nobody else. */
export const isAgentOf = (address: Address, rig: string): boolean => address.kind === 'agent' && address.rig === rig;
