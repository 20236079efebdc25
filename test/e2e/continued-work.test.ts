/** Commits of an agent that died count for its successor: with real processes and real git. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';

const GT = join(import.meta.dirname, '../../gt');
const WAIT_MS = 90_000;

/** The first session commits and crashes; the next finds nothing left to do and hands it in. */
const AGENT = `#!/bin/sh
if git log --format=%s | grep -q 'Half the work'; then
  gt done --summary "it was all there" --json
else
  echo work > work.txt
  git add work.txt
  git commit -qm 'Half the work'
  echo 'the model hung up'
  exit 7
fi
`;

let folder = '';
let town = '';
const gt = (...args: readonly string[]): string =>
  execFileSync(GT, [...args, '--town', town], { encoding: 'utf8', stdio: 'pipe' });
const git = (...args: readonly string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gt-continued-'));
  town = join(folder, 'town');
  const seed = join(folder, 'seed');
  const agent = join(folder, 'agent.sh');
  writeFileSync(agent, AGENT);
  git('init', '-q', '-b', 'main', seed);
  git(
    '-C',
    seed,
    '-c',
    'user.name=T',
    '-c',
    'user.email=t@example.org',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'start',
  );
  git('clone', '-q', '--bare', seed, join(folder, 'app.git'));
  execFileSync(GT, ['init', town], { stdio: 'pipe' });
  gt('rig', 'add', 'app', join(folder, 'app.git'), '--runtime', 'command', '--command', `sh ${agent}`);
  gt('up');
}, WAIT_MS);

afterAll(() => {
  gt('down');
  rmSync(folder, { recursive: true, force: true });
}, WAIT_MS);

describe('work of an agent that died', () => {
  it(
    'is handed in by its successor, and merged',
    async () => {
      const { id } = JSON.parse(gt('sling', 'do it', '--rig', 'app', '--json')) as { id: string };
      const untilMs = Date.now() + WAIT_MS;
      let bead = { status: '', failures: 0, close_reason: '' };
      while (Date.now() < untilMs && bead.status !== 'closed') {
        bead = JSON.parse(gt('bead', 'show', id, '--json')) as typeof bead;
        if (bead.failures === 1 && bead.status === 'open') gt('bead', 'retry', id);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(bead).toMatchObject({ status: 'closed', close_reason: 'merged' });
      expect(git('--git-dir', join(folder, 'app.git'), 'show', 'main:work.txt')).toBe('work\n');
    },
    WAIT_MS,
  );
});
