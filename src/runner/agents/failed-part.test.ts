import { describe, expect, it } from 'vitest';
import { GitError } from '../git/git.ts';
import {
  fetchPart,
  inPart,
  isProgramMissing,
  missingPart,
  NoStart,
  partOf,
  spawnPart,
  withoutPart,
} from './failed-part.ts';

describe('the error of a start', () => {
  it('is charged to the part that it was in, and stays what it was', async () => {
    const wrong = new Error('no origin');
    const error: unknown = await inPart('repository', () => Promise.reject(wrong)).catch((caught: unknown) => caught);
    expect(partOf(error)).toBe('repository');
    expect(withoutPart(error)).toBe(wrong);
    expect(await inPart('program', () => Promise.resolve(7))).toBe(7);
  });

  it('of a fetch is the branch that an origin lacks, or the whole origin', async () => {
    const lacks = new GitError('fetch', 128, "fatal: couldn't find remote ref refs/heads/mian");
    expect(fetchPart(lacks)).toBe('branch');
    expect(fetchPart(new GitError('fetch', 128, 'fatal: unable to access'))).toBe('repository');
    expect(fetchPart(new Error("couldn't find remote ref"))).toBe('repository');
    const error: unknown = await inPart(fetchPart, () => Promise.reject(lacks)).catch((caught: unknown) => caught);
    expect(partOf(error)).toBe('branch');
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

describe('missingPart', () => {
  const nothing = { ahead: 0, dirty: false, doneIntent: false };
  const box = { network: 'on', command: 'podman run', image: 'x', read: [], write: [] } as const;
  const sandbox = (kind: 'bubblewrap' | 'container') => ({ ...box, kind, read: [], write: [] });
  const of = (request: Parameters<typeof missingPart>[0], exitCode: number, left = nothing) =>
    missingPart(request, { cause: 'exited', exitCode, ranMs: 100 }, left);

  it('inside a sandbox is the program for every runtime, since a shell starts it there', () => {
    expect(of({ runtime: 'claude', sandbox: sandbox('bubblewrap') }, 127)).toBe('program');
    expect(of({ runtime: 'claude' }, 127)).toBeNull();
    expect(of({ runtime: 'command' }, 127)).toBe('program');
    expect(of({ runtime: 'claude', sandbox: sandbox('bubblewrap') }, 1)).toBeNull();
    expect(of({ runtime: 'claude', sandbox: sandbox('bubblewrap') }, 127, { ...nothing, dirty: true })).toBeNull();
  });

  it('is the container when that could not be made', () => {
    expect(of({ runtime: 'claude', sandbox: sandbox('container') }, 125)).toBe('isolation');
    expect(of({ runtime: 'claude', sandbox: sandbox('bubblewrap') }, 125)).toBeNull();
  });
});
