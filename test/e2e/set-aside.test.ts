/** Work that could not be stored at the end of its attempt: kept until it is stored, or until a person gives it up. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { StartAgent } from '../../src/api/contract/runner.ts';
import { TestTown, until } from '../fixtures/runner/town.ts';

const hasBubblewrap = spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-user', 'true']).status === 0;
const BOX = { kind: 'bubblewrap', network: 'off', command: null, image: null, read: [], write: [] } as const;
const TIMINGS = { exitRetryMs: 20, setAsideMs: 50 };

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

const data = (...path: readonly string[]): string => join(town.root, '.gastown', ...path);
const boxes = (): readonly string[] => (existsSync(data('boxes')) ? readdirSync(data('boxes')) : []);
const tree = (): string => data('worktrees', 'app', 'w1');
/** A branch of that name stands where the ref should go, as after a mistake of a person. */
const block = (bead: string): string => `refs/gt/rescue/${bead}`;

/** What the runner's own table says of it; null: it is not set aside (any more). */
function problem(): string | null {
  const db = new DatabaseSync(data('runner.db'), { readOnly: true });
  const row = db.prepare('SELECT problem FROM set_aside').get();
  db.close();
  return row === undefined ? null : String(row['problem']);
}

/** Waits until the runner has tried once more, in vain. */
async function triedAgain(): Promise<void> {
  const db = new DatabaseSync(data('runner.db'));
  db.exec(`PRAGMA busy_timeout = 5000; UPDATE set_aside SET problem = 'seen'`);
  db.close();
  await until(() => problem() !== 'seen', 'it tries again');
}

/** An attempt whose work can't be stored: it ended, and all of it is still where it was made. */
async function setAside(part: Partial<StartAgent>): Promise<StartAgent> {
  await town.start(TIMINGS);
  const work = 'echo kept > kept.txt; git add kept.txt; git commit -qm kept; echo more > more.txt; echo ready; cat go';
  const start = town.commandRequest(
    `mkfifo "$GT_STATE_DIR/go"; ${work.replace('cat go', 'cat "$GT_STATE_DIR/go"')}`,
    part,
  );
  await town.post(start);
  await town.printed(start, 'ready');
  town.git(['update-ref', block(start.bead), town.targetSha], town.bare);
  writeFileSync(data('attempts', start.attempt, 'go'), '');
  const { exit } = await town.fact('agent_exited', start);
  expect(exit).toMatchObject({ rescueRef: null, cause: 'exited' });
  expect(exit.lastLine).toContain('the work could not be stored');
  expect(exit.lastLine).toContain(tree());
  return start;
}

const stays = (start: StartAgent): void => {
  expect(existsSync(join(tree(), 'more.txt'))).toBe(true);
  expect(boxes()).toEqual(start.sandbox === undefined ? [] : [start.attempt]);
  expect(town.git(['for-each-ref', `refs/gt/rescue/${start.bead}/`], town.bare)).toBe('');
};

/** What the town was told became of it. */
async function told(): Promise<string> {
  const words = (): string | undefined =>
    town.brain.recorded.flatMap((fact) =>
      fact.type === 'agent_event' && fact.eventType === 'work_kept' ? [fact.statusMessage ?? ''] : [],
    )[0];
  await until(() => words() !== undefined, 'the town is told');
  return words() ?? '';
}

async function isGone(): Promise<void> {
  await until(() => problem() === null, 'it is forgotten');
  expect(boxes()).toEqual([]);
  expect(existsSync(join(tree(), 'more.txt'))).toBe(false);
  const db = new DatabaseSync(data('runner.db'), { readOnly: true });
  expect(db.prepare(`SELECT state, owner FROM worktrees WHERE name = 'w1'`).get()).toEqual({
    state: 'free',
    owner: null,
  });
  db.close();
}

const kinds: readonly (readonly [string, Partial<StartAgent>])[] = [
  ['in a linked worktree', {}],
  ['in bubblewrap', { sandbox: { ...BOX, read: [], write: [] } }],
];

describe.each(kinds)('work that could not be stored, %s', (_name, part) => {
  it.skipIf(part.sandbox !== undefined && !hasBubblewrap)(
    'stays, over a restart too, until it is stored and read back; then its worktree is used again (I23)',
    async () => {
      const start = await setAside(part);
      await triedAgain();
      stays(start);
      await town.runner?.stop();
      await town.start(TIMINGS);
      await triedAgain();
      stays(start);
      const other = town.commandRequest('pwd');
      await town.post(other);
      await town.fact('agent_exited', other);
      expect(town.transcript(other)).toContain('w2');
      town.git(['update-ref', '-d', block(start.bead)], town.bare);
      const ref = `${block(start.bead)}/${start.attempt}`;
      expect(await told()).toBe(`stored in ${ref}`);
      expect(town.git(['show', `${ref}:kept.txt`], town.bare)).toBe('kept');
      expect(town.git(['show', `${ref}:more.txt`], town.bare)).toBe('more');
      await isGone();
    },
  );
});

it('goes when a person gave it up, and only then', async () => {
  const start = await setAside({});
  mkdirSync(data('given-up'), { recursive: true });
  writeFileSync(data('given-up', 'at-somebody-else'), '');
  await triedAgain();
  stays(start);
  writeFileSync(data('given-up', start.attempt), '');
  expect(await told()).toBe('a person gave it up');
  await isGone();
  expect(readdirSync(data('given-up'))).toEqual(['at-somebody-else']);
});

it('a box that a crash left behind after the end of its attempt goes at the next start, an unknown one stays', async () => {
  await town.start(TIMINGS);
  const start = town.commandRequest('true');
  await town.post(start);
  await town.fact('agent_exited', start);
  await town.runner?.stop();
  for (const name of [start.attempt, 'gate-0123456789abcdef01234567', 'at-unknown'])
    mkdirSync(data('boxes', name, 'home'), { recursive: true });
  await town.start(TIMINGS);
  expect(boxes()).toEqual(['at-unknown']);
});

it('keeps the files of an agent that ended on a branch without a commit (T16)', async () => {
  await town.start(TIMINGS);
  const start = town.commandRequest('git checkout -q --orphan new; echo mine > mine.txt; rm a.txt');
  await town.post(start);
  const { exit } = await town.fact('agent_exited', start);
  expect(exit).toMatchObject({ dirty: true, rescueRef: `refs/gt/rescue/${start.bead}/${start.attempt}` });
  const names = town.git(['ls-tree', '--name-only', exit.rescueRef ?? ''], town.bare);
  expect(names.split('\n')).toEqual(['.gitignore', 'mine.txt']);
  rmSync(tree(), { recursive: true, force: true });
});
