import { expect, it } from 'vitest';
import { NOW, rigView } from '../../../test/support/rig-view-builder.ts';
import { trusted } from '../model/ids.ts';
import type { Mail } from '../model/mail.ts';
import { mailExpiry } from './mail-expiry.ts';

const mail = (n: number, expiresAtMs: number): Mail => ({
  id: trusted.mail(`ml-000000000000000${String(n)}`),
  key: `k${String(n)}`,
  from: 'human/',
  to: 'api/polecats/nux',
  kind: 'note',
  subject: 'Hello',
  body: '',
  replyTo: null,
  createdAtMs: 0,
  deliveredAtMs: null,
  deliveredAttempt: null,
  readAtMs: null,
  expiresAtMs,
  endedAtMs: null,
  endReason: null,
});

it('returns what has expired, each in a decision of its own', () => {
  const view = rigView({ mail: [mail(1, NOW - 1), mail(2, NOW), mail(3, NOW + 1)] });
  const actions = mailExpiry(view, '', NOW).decisions.map((decision) => decision.actions);
  expect(actions).toEqual([
    [{ type: 'return_mail', mail: mail(1, 0).id }],
    [{ type: 'return_mail', mail: mail(2, 0).id }],
  ]);
});

it('wakes for the next one, and never without mail', () => {
  expect(mailExpiry(rigView({ mail: [mail(1, NOW + 9), mail(2, NOW + 5)] }), '', NOW).wakeAtMs).toBe(NOW + 5);
  expect(mailExpiry(rigView(), '', NOW)).toEqual({ decisions: [], wakeAtMs: null });
});
