import { describe, expect, it } from 'vitest';
import {
  refuseStale,
  refuseStaleRig,
  rigAmong,
  budgetTag,
  escalationTag,
  runnerTag,
  textTag,
  versionTag,
} from './etag.ts';
import { trusted } from './model/ids.ts';
import type { RigSummary } from './queries.ts';

const errorOf = (act: () => void): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return null;
};

describe('the version of a thing', () => {
  it('is the number of its row', () => {
    expect(versionTag({ version: 7 })).toBe('7');
  });

  it('of a text is the same for the same text only', () => {
    expect(textTag('a')).toBe(textTag('a'));
    expect(textTag('a')).not.toBe(textTag('b'));
  });

  /** What people may change of it makes another tag; all else does not. */
  const tagsDiffer = <T extends object>(
    tag: (thing: never) => string,
    thing: T,
    changed: object,
    same: object,
  ): void => {
    const before = tag(thing as never);
    expect(before).toMatch(/^\S+$/);
    for (const [name, value] of Object.entries(changed))
      expect([name, tag({ ...thing, [name]: value } as never)]).not.toEqual([name, before]);
    expect(tag({ ...thing, ...same } as never)).toBe(before);
  };

  it('of an escalation follows what people do and read of it', () => {
    const escalation = { severity: 'low', message: 'a', repeats: 1, acknowledgedAtMs: null, resolvedAtMs: null };
    const changed = { severity: 'high', message: 'b', repeats: 2, acknowledgedAtMs: 1, resolvedAtMs: 1 };
    tagsDiffer(escalationTag, escalation, changed, { toldAtMs: 5 });
  });

  it('of a budget follows its amount, of a runner what is set of it', () => {
    tagsDiffer(budgetTag, { id: 'a', amount: 1, source: 'file' }, { id: 'b', amount: 2, source: 'api' }, { spent: 5 });
    const runner = { id: 'a', url: null, draining: false, rotating: false, createdAtMs: 1 };
    const changed = { id: 'b', url: 'http://x', draining: true, rotating: true, createdAtMs: 2 };
    tagsDiffer(runnerTag, runner, changed, { seenAtMs: 5 });
  });
});

describe('a change of what was read before', () => {
  it.each([
    ['nothing was said of a version', undefined, '1'],
    ['it is that version', ['0', '1'], '1'],
    ['any version is meant', ['*'], '1'],
  ])('is taken when %s', (_case, ifMatch, tag) => {
    expect(errorOf(() => refuseStale({ ifMatch }, 'api-1', tag))).toBeNull();
  });

  it.each([
    ['it changed', ['1'], '2'],
    ['it is not there any more', ['*'], null],
  ])('is refused when %s', (_case, ifMatch, tag) => {
    expect(errorOf(() => refuseStale({ ifMatch }, 'api-1', tag))).toMatchObject({
      kind: 'stale',
      code: 'stale',
      message: 'api-1 is not any more what you read: somebody or something changed it meanwhile.',
      next: 'Read it again, look at what changed, and send your change with the new ETag.',
    });
  });

  it('of a rig asks the one of that name, and only if a version was named', () => {
    const rigs = [
      { id: 'web', tag: 'x' },
      { id: 'api', tag: 'y' },
    ] as unknown as RigSummary[];
    const [api, none] = [trusted.rig('api'), trusted.rig('none')];
    expect(rigAmong(rigs, api)).toBe(rigs[1]);
    expect(errorOf(() => refuseStaleRig({ ifMatch: ['y'] }, rigs, api))).toBeNull();
    expect(errorOf(() => refuseStaleRig({ ifMatch: ['x'] }, rigs, api))).toMatchObject({
      code: 'stale',
      message: expect.stringContaining('api is'),
    });
    expect(errorOf(() => refuseStaleRig({ ifMatch: ['y'] }, rigs, none))).toMatchObject({ code: 'rig_not_found' });
    expect(errorOf(() => refuseStaleRig({ ifMatch: undefined }, rigs, none))).toBeNull();
  });
});
