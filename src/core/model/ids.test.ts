import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyChar } from '../../../test/support/any-char.ts';
import { TownError } from '../errors.ts';
import {
  crockford,
  isBeadId,
  isConvoyId,
  isSha,
  parseAgentId,
  parseAttemptId,
  parseBeadId,
  parseConvoyId,
  parseEscalationId,
  parseMailId,
  parsePrefix,
  parseRigName,
  parseSha,
  prefixOf,
  sortableTime,
  trusted,
} from './ids.ts';

const PARSERS = {
  bead: [parseBeadId, 'app-7k3qf'],
  convoy: [parseConvoyId, 'hq-cv-7k3qf'],
  attempt: [parseAttemptId, 'at-0123456789abcdefgh'],
  agent: [parseAgentId, 'app/polecats/nux-2'],
  sha: [parseSha, 'a'.repeat(40)],
  rig: [parseRigName, 'my-app_2'],
  prefix: [parsePrefix, 'app2'],
} as const;
const cases = Object.entries(PARSERS);

describe('every parser', () => {
  it.each(cases)('of a %s takes a good one unchanged', (_kind, [parse, good]) => {
    expect(parse(good)).toBe(good);
  });

  const HOSTILE = [
    () => '',
    (good: string) => ` ${good}`,
    (good: string) => `${good}\n`,
    (good: string) => `${good}\u0000`,
    (good: string) => `../${good}`,
    (good: string) => `${good}/../../etc/passwd`,
    (good: string) => `--upload-pack=${good}`,
    (good: string) => `-${good}`,
    (good: string) => good.toUpperCase(),
    (good: string) => `${good}\u202E`,
    (good: string) => good.replace(/[a-z]/, 'а'),
    (good: string) => `${good};rm -rf`,
    (good: string) => `\u001B[31m${good}`,
    (good: string) => `${good}\n${good}`,
    (good: string) => good.repeat(2_000),
    (good: string) => `<b>${good}</b>`,
    (good: string) => `${good}'--`,
  ];

  it.each(cases)('of a %s refuses hostile text with a usage error that shows little of it', (_kind, [parse, good]) => {
    for (const spoil of HOSTILE) {
      const text = spoil(good);
      let error: unknown;
      try {
        parse(text);
      } catch (thrown) {
        error = thrown;
      }
      expect(error, JSON.stringify(text.slice(0, 60))).toBeInstanceOf(TownError);
      if (!(error instanceof TownError)) continue;
      expect(error.kind).toBe('usage');
      expect(error.next).not.toBe('');
      expect(error.message.length).toBeLessThan(700);
      expect(error.message).not.toContain('\n');
    }
  });

  it.each(cases)('of a %s never throws anything but a usage error', (_kind, [parse]) => {
    fc.assert(
      fc.property(fc.string({ unit: anyChar }), (text) => {
        try {
          expect(parse(text)).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(TownError);
        }
      }),
    );
  });
});

describe('ids', () => {
  it.each([
    'app-7k3q',
    'app-7k3qi',
    'app-7k3ql',
    'app-7k3qo',
    'app-7k3qu',
    'App-7k3qf',
    '1pp-7k3qf',
    'toolongprefix-7k3qf',
  ])('of beads are not %s', (text) => {
    expect(isBeadId(text)).toBe(false);
    expect(() => parseBeadId(text)).toThrow(TownError);
  });

  it('tell beads and convoys apart', () => {
    expect([isBeadId('hq-cv-7k3qf'), isConvoyId('hq-cv-7k3qf')]).toEqual([false, true]);
    expect([isBeadId('app-7k3qf'), isConvoyId('app-7k3qf')]).toEqual([true, false]);
  });

  it('of commits have 40 or 64 digits', () => {
    expect([39, 40, 41, 63, 64, 65].map((length) => isSha('a'.repeat(length)))).toEqual([
      false,
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  it.each(['hq', 'gt'])('never use the reserved prefix %s', (prefix) => {
    expect(() => parsePrefix(prefix)).toThrow(expect.objectContaining({ code: 'reserved_prefix' }));
  });

  it('minted from any bytes parse, and name their rig', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 16 }), (bytes) => {
        const id = parseBeadId(`app-${crockford(bytes)}`);
        expect(prefixOf(id)).toBe('app');
        expect(parseConvoyId(`hq-cv-${crockford(bytes)}`)).toContain('hq-cv-');
      }),
    );
  });

  it('of attempts sort by time', () => {
    const moment = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(moment, moment, fc.uint8Array({ minLength: 8, maxLength: 8 }), (a, b, bytes) => {
        expect(sortableTime(a)).toHaveLength(10);
        expect(sortableTime(a) < sortableTime(b)).toBe(a < b);
        expect(parseAttemptId(`at-${sortableTime(a)}${crockford(bytes)}`)).toMatch(/^at-/);
      }),
    );
    expect(sortableTime(-1)).toBe(sortableTime(0));
    expect(sortableTime(1.9)).toBe(sortableTime(1));
  });

  it('that are trusted keep their text', () => {
    for (const brand of Object.values(trusted)) expect(brand('x')).toBe('x');
  });
});

describe('a text that is no id says what one looks like', () => {
  it.each([
    [parseBeadId, 'bead_id', 'a bead id', 'A bead id looks like "app-7k3qf".', 'bead id'],
    [parseConvoyId, 'convoy_id', 'a convoy id', 'A convoy id looks like "hq-cv-7k3qf".', 'convoy id'],
    [
      parseEscalationId,
      'escalation_id',
      'an escalation id',
      'An escalation id looks like "hq-esc-7k3qf9m2".',
      'escalation id',
    ],
    [
      parseAttemptId,
      'attempt_id',
      'an attempt id',
      'An attempt id looks like "at-" and a time-sortable code.',
      'attempt id',
    ],
    [parseMailId, 'mail_id', 'a mail id', 'A mail id looks like "ml-" and a time-sortable code.', 'mail id'],
    [parseAgentId, 'agent', 'an agent', 'An agent looks like "app/polecats/nux".', 'agent'],
    [parseSha, 'commit_id', 'a commit id', 'A commit id looks like 40 hexadecimal digits.', 'commit id'],
    [
      parseRigName,
      'rig_name',
      'a rig name',
      'A rig name looks like "app": a letter, then up to 31 letters, digits, "-" or "_", all lower case.',
      'rig name',
    ],
  ] as const)('%#', (...[parse, code, what, next, field]) => {
    expect(() => parse('?')).toThrow(
      expect.objectContaining({ code: `bad_${code}`, message: `"?" is not ${what}.`, next, field }),
    );
  });

  it('also of a prefix', () => {
    expect(() => parsePrefix('?')).toThrow(
      expect.objectContaining({
        code: 'bad_prefix',
        message: '"?" is not a rig prefix.',
        next: 'A prefix is a letter and up to 7 letters or digits, lower case, for example "app".',
        field: 'prefix',
      }),
    );
    expect(() => parsePrefix('gt')).toThrow(
      expect.objectContaining({
        code: 'reserved_prefix',
        message: 'The prefix "gt" is reserved for the town itself.',
        next: 'Choose another with --prefix.',
        field: 'prefix',
      }),
    );
  });
});
