import { MAILBOX } from '../refs.ts';
import { act, type RigDecision, type RigRule } from './rule.ts';

/** Mails that one look takes; the rest comes in the next round of the same turn. */
const EXPIRED_BATCH = 50;

/** A mail is never lost in silence: what nobody read by its expiry goes back to its sender. */
export const mailExpiry: RigRule = (view, _id, nowMs) => {
  const expired = view.expiredMail(nowMs, EXPIRED_BATCH);
  if (expired.length > 0) {
    const decisions = expired.map((mail): RigDecision => ({
      rule: 'mail-expiry',
      entity: MAILBOX,
      reason: `${mail.to} has not read ${mail.id} in time`,
      actions: [{ type: 'return_mail', mail: mail.id }],
    }));
    return act(...decisions);
  }
  return { decisions: [], wakeAtMs: view.nextMailExpiry() };
};
