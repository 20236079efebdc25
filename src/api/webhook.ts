/** What a town posts to the webhook of a person's choice, by the Standard Webhooks scheme. Needs nothing but `fetch`. */
import { Webhook } from 'standardwebhooks';
import type { Notification, NotifyOutcome } from '../ports/notifier.ts';

/** Below the deadline of an effect (20 s), after which the same telling would be tried beside this one. */
const SEND_TIMEOUT_MS = 15_000;
/** The receiver says that it is gone for good. */
const GONE = 410;

export interface WebhookPost {
  readonly url: string;
  readonly secret: string;
  /** Name of the town, for people who have several. */
  readonly town: string;
  readonly notification: Notification;
}

/** Signs and sends it once. Throws what `fetch` throws. */
export async function postWebhook({ url, secret, town, notification }: WebhookPost): Promise<NotifyOutcome> {
  const webhook = new Webhook(secret);
  const sentAt = new Date();
  const body = JSON.stringify({
    type: notification.rises === 0 ? 'escalation.raised' : 'escalation.rose',
    timestamp: sentAt.toISOString(),
    data: { town, ...wire(notification) },
  });
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'gastown',
      'webhook-id': notification.key,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
      'webhook-signature': webhook.sign(notification.key, sentAt, body),
    },
    body,
    // A signed message goes where the owner said, and nowhere else.
    redirect: 'manual',
    signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
  });
  await answer.body?.cancel();
  if (answer.ok) return { state: 'sent' };
  const error = `the webhook answered ${String(answer.status)}`;
  return answer.status === GONE ? { state: 'failed', error } : { state: 'retry', error };
}

const wire = (notification: Notification): Record<string, string | number | null> => ({
  id: notification.escalation,
  severity: notification.severity,
  category: notification.category,
  rig: notification.rig,
  subject: notification.subject,
  message: notification.message,
  rises: notification.rises,
  raised_at: notification.raisedAtMs,
  next: notification.next,
});
