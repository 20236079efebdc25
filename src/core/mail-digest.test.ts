import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyChar } from '../../test/support/any-char.ts';
import { MAIL_DIGEST_BYTES_MAX } from './limits.ts';
import { mailDigest } from './mail-digest.ts';
import { trusted } from './model/ids.ts';
import type { Mail } from './model/mail.ts';
import { utf8Length } from './text.ts';

const mail = (over: Partial<Mail> = {}): Mail => ({
  id: trusted.mail('ml-0000000000000001'),
  key: 'k',
  from: 'human/',
  to: 'api/polecats/nux',
  kind: 'note',
  subject: 'Hello',
  body: 'There.',
  replyTo: null,
  createdAtMs: 0,
  deliveredAtMs: null,
  deliveredAttempt: null,
  readAtMs: null,
  expiresAtMs: 1,
  endedAtMs: null,
  endReason: null,
  ...over,
});

describe('mailDigest', () => {
  it('is nothing without mail', () => {
    expect(mailDigest([])).toBeNull();
  });

  it('names each mail with its sender and fences its text as data', () => {
    const digest = mailDigest([mail(), mail({ id: trusted.mail('ml-0000000000000002'), from: 'api/witness' })]) ?? '';
    expect(digest).toContain('You have 2 unread mails');
    expect(digest).toContain('ml-0000000000000001, note from human/:\n```text origin=human/\nHello\n\nThere.\n```');
    expect(digest).toContain('ml-0000000000000002, note from api/witness:');
  });

  it('cuts a long mail, so that it does not hide the next', () => {
    const digest = mailDigest([mail({ body: 'x'.repeat(10_000) }), mail({ subject: 'Second' })]) ?? '';
    expect(digest).toContain('[cut]');
    expect(digest).toContain('Second');
  });

  it('counts what does not fit', () => {
    const digest = mailDigest(Array.from({ length: 60 }, () => mail({ body: 'x'.repeat(500) }))) ?? '';
    expect(digest).toMatch(/\d+ more: gt mail inbox$/);
  });

  it('is within its limit for any mail, and no text ends its own fence', () => {
    // One text fills an entry, four entries fill the digest; more only takes time.
    const text = fc.oneof(
      fc.string({ unit: anyChar, maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('`', '\n', '\u202E', '\u001B', 'x'), maxLength: 300 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 6 }), (texts) => {
        const digest = mailDigest(texts.map(([subject, body]) => mail({ subject, body }))) ?? '';
        expect(utf8Length(digest)).toBeLessThanOrEqual(MAIL_DIGEST_BYTES_MAX);
        let fence: string | null = null;
        for (const line of digest.split('\n')) {
          const opened = /^(`{3,})text origin=human\/$/.exec(line)?.[1];
          if (fence === null && opened !== undefined) fence = opened;
          else if (line === fence) fence = null;
          else if (fence !== null && line.startsWith(fence)) expect.fail(`ends its own fence: ${line}`);
        }
        expect(fence).toBeNull();
        expect(digest).not.toMatch(/[\u001B\u202E]/);
      }),
      { numRuns: 200 },
    );
  });
});
