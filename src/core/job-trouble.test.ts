import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyChar } from '../../test/support/any-char.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import { NOW, rigView } from '../../test/support/rig-view-builder.ts';
import { inOneLine, nextOf, troubleNow, troubleSaid } from './job-trouble.ts';
import { HOST_WORDS_CHARS_MAX } from './limits.ts';
import type { JobTrouble } from './model/job-trouble.ts';
import type { RigView } from './view.ts';

const KEY = 'push:api-merge:1:1';
const trouble: JobTrouble = { tries: 3, error: 'fatal: Connection refused', nextAtMs: NOW + 30_000 };
const failing = (over: Partial<JobTrouble> = {}, url = '/srv/api.git'): RigView =>
  rigView({ config: rigConfig('api', { url }), troubles: { [KEY]: { ...trouble, ...over } } });

describe('words of a program inside a sentence', () => {
  it('stand in one line, with one space between two', () => {
    expect(inOneLine(' remote: denied\r\n\n\tfatal:  Could not read  \n')).toBe('remote: denied fatal: Could not read');
  });

  it('hold no login of an address: git leaves the rest of a password that has an "@"', () => {
    expect(inOneLine("fatal: unable to access 'https://me:p@ss@h.org/a/b@v1' from https://ss@h.org: no")).toBe(
      "fatal: unable to access 'https://h.org/a/b@v1' from https://h.org: no",
    );
  });

  it('steer no terminal: what would is shown as its code', () => {
    expect(inOneLine('\u001b[31mfatal\u001b[0m')).toBe('\\x1b[31mfatal\\x1b[0m');
  });

  it.each(['x', '\u{1f600}'])('are cut where they are longer than a sentence bears, which is shown: %s', (char) => {
    const whole = char.repeat(HOST_WORDS_CHARS_MAX);
    expect(inOneLine(whole)).toBe(whole);
    expect(inOneLine(whole + char)).toBe(`${whole}…`);
  });

  it('are so whatever a program says, and once they are they stay as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(anyChar, fc.constantFrom(' ', '\n')), maxLength: 300 }), (words) => {
        const line = inOneLine(words);
        expect(line).not.toMatch(/^\s|[^\S ]| {2}/);
        expect(Array.from(line).length).toBeLessThanOrEqual(HOST_WORDS_CHARS_MAX + 1);
        expect(inOneLine(line)).toBe(line);
      }),
    );
  });
});

describe('an order that is not done yet', () => {
  it('is told for the record as it is at any moment: how often, where, and the last words', () => {
    expect(troubleSaid(failing(), KEY)).toBe(
      ' It was asked for 3 times at /srv/api.git; the last try failed: fatal: Connection refused.',
    );
    expect(troubleSaid(failing({ tries: 1, error: 'fatal:\nno route' }), KEY)).toBe(
      ' It was asked for once at /srv/api.git; the last try failed: fatal: no route.',
    );
  });

  it.each<[string, Partial<JobTrouble>, string]>([
    ['later', { tries: 2 }, 'fatal: Connection refused (asked 2 times, again within 30 s)'],
    ['in a millisecond', { nextAtMs: NOW + 1 }, 'fatal: Connection refused (asked 3 times, again within 1 s)'],
    ['in this moment', { nextAtMs: NOW }, 'fatal: Connection refused (asked 3 times, again now)'],
    ['before', { nextAtMs: NOW - 1, tries: 1 }, 'fatal: Connection refused (asked once, again now)'],
    ['later, in one line', { error: 'fatal:\nno route' }, 'fatal: no route (asked 3 times, again within 30 s)'],
  ])('is told with when it is tried again: %s', (_when, over, words) => {
    expect(troubleNow(failing(over), KEY, NOW)).toBe(` The last try at /srv/api.git failed: ${words}.`);
  });

  it.each([
    ['nothing of it failed', 'push:api-merge:1:2'],
    ['there is no order', null],
  ])('is not told when %s', (_case, key) => {
    expect(troubleSaid(failing(), key)).toBe('');
    expect(troubleNow(failing(), key, NOW)).toBe('');
  });

  it.each([
    ['https://ada:secret@h.org/a/b.git', 'https://h.org/a/b.git'],
    ['HTTPS://ada@h.org:8443/a/b', 'HTTPS://h.org:8443/a/b'],
    ['git+ssh://git@h.org/a/b', 'git+ssh://h.org/a/b'],
    ['https://h.org/a/b@c', 'https://h.org/a/b@c'],
    ['https://h.org/a/b', 'https://h.org/a/b'],
    ['git@h.org:a/b', 'git@h.org:a/b'],
    ['/srv/copies/ssh://git@h.org/a/b', '/srv/copies/ssh://git@h.org/a/b'],
  ])('is told without the login in the address: %s', (url, shown) => {
    expect(troubleSaid(failing({}, url), KEY)).toContain(` at ${shown}; the last try failed: `);
    expect(troubleNow(failing({}, url), KEY, NOW)).toContain(` The last try at ${shown} failed: `);
  });
});

describe('when to look again', () => {
  it.each<[string, readonly (number | null | undefined)[], number | null]>([
    ['nothing is known', [], null],
    ['no moment is', [null, undefined], null],
    ['the first', [NOW + 9, NOW + 2, NOW + 5], NOW + 2],
    ['the first that is not over', [NOW - 5, null, NOW + 7, undefined, NOW + 3], NOW + 3],
    ['this moment is over', [NOW], null],
    ['all are over', [NOW - 1, NOW - 2], null],
  ])('%s', (_case, moments, next) => {
    expect(nextOf(NOW, ...moments)).toBe(next);
  });

  it('is later than now, and nothing that is later comes before it', () => {
    const moment = fc.option(fc.integer({ min: -9, max: 9 }), { freq: 3 });
    fc.assert(
      fc.property(fc.integer({ min: -9, max: 9 }), fc.array(moment, { maxLength: 6 }), (nowMs, moments) => {
        const later = moments.flatMap((at) => (at !== null && at > nowMs ? [at] : []));
        expect(nextOf(nowMs, ...moments)).toBe(later.length === 0 ? null : Math.min(...later));
      }),
    );
  });
});
