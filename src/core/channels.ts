import type { Violation } from './invariants.ts';
import { counted } from './text.ts';

/** How many messages one end of a channel sent to the other and took from it. */
export interface ChannelEnd {
  readonly sent: number;
  readonly received: number;
  /** Of the sent ones, those that nobody has acknowledged. */
  readonly waiting: number;
}

/**
 * Messages are numbered, and each end counts by itself (I17). Two databases of one town that are not of the same moment
 * (one was lost, or brought back alone) disagree: then messages are taken for known ones, or wait for ever for one that is
 * gone. The town's end is read before and after the other one, since both go on meanwhile.
 */
export function checkChannel(
  other: ChannelEnd,
  town: { readonly before: ChannelEnd; readonly after: ChannelEnd },
): readonly Violation[] {
  const texts = [
    town.before.received > other.sent
      ? `its database is older than the town's: the town has ${counted(town.before.received, 'message')} of it, and it knows of ${String(other.sent)}`
      : null,
    town.before.sent - town.before.waiting > other.received
      ? `its database is older than the town's: it had ${counted(town.before.sent - town.before.waiting, 'message')} of the town, and knows of ${String(other.received)}; it hears nothing more`
      : null,
    other.received > town.after.sent
      ? `the town's database is older than its own: it has ${counted(other.received, 'message')} of the town, which knows of ${String(town.after.sent)}`
      : null,
    other.sent - other.waiting > town.after.received
      ? `the town's database is older than its own: the town had ${counted(other.sent - other.waiting, 'message')} of it, and knows of ${String(town.after.received)}; it hears nothing more`
      : null,
  ];
  return texts.flatMap((text) => (text === null ? [] : [{ code: 'I17', text: `${text}. ${MEND}` }]));
}

const MEND = 'Bring all databases of the town back from one backup, into a new folder ("gt restore")';
