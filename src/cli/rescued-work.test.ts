import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleWork } from '../hosts/node/backup-work.ts';
import { createTown } from '../hosts/node/town-create.ts';
import type { Town } from '../hosts/node/town-files.ts';
import { rescuedWork } from './rescued-work.ts';

/** As many bytes as some 60,000 attempts write, in few refs with long names, which git makes quickly. */
const REFS = 1_160;
const PART_CHARS = 200;
const PARTS = 18;
const OUTPUT_OF_A_SHORT_COMMAND_BYTES = 4 * 1024 * 1024;

describe('a clone with more refs of work than a short answer of git holds', () => {
  const place = mkdtempSync(join(tmpdir(), 'rescued-'));
  let town: Town;
  const repoOf = (rig: string): string => join(town.paths.dataDir, 'repos', `${rig}.git`);
  const git = (rig: string, args: readonly string[]): string =>
    execFileSync('git', [`--git-dir=${repoOf(rig)}`, '-c', 'user.name=n', '-c', 'user.email=e@example.com', ...args], {
      input: '',
      encoding: 'utf8',
    }).trim();

  beforeAll(() => {
    ({ town } = createTown({ root: join(place, 'town'), name: 'shop', ownerEmail: 'a@example.com', nowMs: 1 }));
    git('app', ['init', '-q', '--bare', repoOf('app')]);
    const sha = git('app', ['commit-tree', git('app', ['mktree']), '-m', 'work']);
    const tail = Array.from({ length: PARTS }, () => 'x'.repeat(PART_CHARS)).join('/');
    const names = Array.from({ length: REFS }, (_, at) => `refs/gt/rescue/app-7k3qf/at-${String(10_000 + at)}/${tail}`);
    expect(names.join('\n').length).toBeGreaterThan(OUTPUT_OF_A_SHORT_COMMAND_BYTES);
    const packed = `# pack-refs with: peeled fully-peeled sorted \n${names.map((name) => `${sha} ${name}\n`).join('')}`;
    writeFileSync(join(repoOf('app'), 'packed-refs'), packed);
  });

  afterAll(() => {
    rmSync(place, { recursive: true, force: true });
  });

  it('is in a backup', async () => {
    const { files } = await bundleWork(town.paths.dataDir, join(place, 'backup'));
    expect(files).toEqual(['work/app.bundle']);
  });

  it('is listed whole; one that git can not read is named beside it', async () => {
    mkdirSync(repoOf('web'));
    const { works, unread } = await rescuedWork(town, process.env);
    expect(works).toHaveLength(REFS);
    expect(works.at(-1)).toMatchObject({ rig: 'app', bead: 'app-7k3qf' });
    expect(unread).toMatchObject([{ rig: 'web', problem: expect.stringContaining('not a git repository') }]);
  });
});
