import { describe, expect, it } from 'vitest';
import { inPart, isProgramMissing, NoStart, partOf, spawnPart, withoutPart } from './failed-part.ts';

describe('the error of a start', () => {
  it('is charged to the part that it was in, and stays what it was', async () => {
    const wrong = new Error('no origin');
    const error: unknown = await inPart('repository', () => Promise.reject(wrong)).catch((caught: unknown) => caught);
    expect(partOf(error)).toBe('repository');
    expect(withoutPart(error)).toBe(wrong);
    expect(await inPart('program', () => Promise.resolve(7))).toBe(7);
  });

  it('is the machine where nothing else is known, and nobody when it was ordered', async () => {
    expect(partOf(new Error('disk full'))).toBe('machine');
    const ordered = new NoStart('stopped', 'Stopped.');
    expect(partOf(await inPart('repository', () => Promise.reject(ordered)).catch((caught: unknown) => caught))).toBe(
      undefined,
    );
    expect(partOf(new NoStart('spawn_failed', 'No program.', 'program'))).toBe('program');
  });

  it.each([
    ['ENOENT', '/', 'program'],
    ['EACCES', '/', 'program'],
    ['EAGAIN', '/', 'machine'],
    [undefined, '/', 'machine'],
    ['ENOENT', '/does/not/exist', 'machine'],
  ])('of a spawn with %s in %s is the %s', (code, cwd, part) => {
    expect(spawnPart(code, cwd)).toBe(part);
  });
});

describe('a shell that found no program', () => {
  const shell = { missingCodes: [126, 127] };
  const ended = { cause: 'exited', exitCode: 127, ranMs: 20 } as const;
  const left = { ahead: 0, dirty: false, doneIntent: false };

  it('says so at once, with nothing done', () => {
    expect(isProgramMissing(shell, ended, left)).toBe(true);
    expect(isProgramMissing(shell, { ...ended, exitCode: 126 }, { ...left, ahead: null })).toBe(true);
  });

  it.each([
    [{ exitCode: 1 }, {}],
    [{ exitCode: null }, {}],
    [{ cause: 'stopped' as const }, {}],
    [{ ranMs: 5_000 }, {}],
    [{}, { ahead: 1 }],
    [{}, { dirty: true }],
    [{}, { doneIntent: true }],
  ])('is not one that ended with %j and left %j', (how, what) => {
    expect(isProgramMissing(shell, { ...ended, ...how }, { ...left, ...what })).toBe(false);
  });

  it('is a matter of runtimes that go through a shell', () => {
    expect(isProgramMissing({}, ended, left)).toBe(false);
  });
});
