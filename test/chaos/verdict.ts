/** Judges a run from outside: the remotes, the recipes' own ledger, the process table. Never the town's databases. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { isLocked } from '../../src/hosts/node/lock.ts';
import { markedProcesses, serversOf } from '../support/processes.ts';
import { git } from '../support/real-town.ts';
import { readGates, readLedger, type GateLine } from './ledger.ts';
import type { Kill } from './monkey.ts';
import type { Stage } from './stage.ts';
import { judgeTurns } from './turns.ts';
import type { Slung } from './work.ts';

/** Everything that does not hold; empty when all does. */
export function judge(stage: Stage, slung: readonly Slung[], kills: readonly Kill[]): string[] {
  const gates = readGates(stage.gateLedger);
  const problems = [...stage.remotes].flatMap(([rig, bare]) => {
    const own = slung.filter(({ bead }) => bead.rig === rig);
    return [...judgeTarget(bare, own), ...judgePushes(bare, rig, gates), ...judgeFsck(bare)].map(
      (problem) => `${rig}: ${problem}`,
    );
  });
  problems.push(...judgeTurns(readLedger(stage.ledger), slung, kills));
  const repos = join(stage.town.paths.dataDir, 'repos');
  for (const name of existsSync(repos) ? readdirSync(repos) : []) problems.push(...judgeFsck(join(repos, name)));
  return [...problems, ...judgeLeftovers(stage)];
}

const countOf = (list: readonly string[], wanted: string): number => list.filter((one) => one === wanted).length;

/** Each bead's work is on the target once: its file, its line, its commit, its merge; and there is nothing else. */
function judgeTarget(bare: string, slung: readonly Slung[]): string[] {
  const problems: string[] = [];
  const log = (...args: readonly string[]): string[] =>
    git(['--git-dir', bare, 'log', ...args, 'main'])
      .split('\n')
      .filter((line) => line.trim() !== '');
  const merges = log('--first-parent', '--format=%(trailers:key=Gt-Bead,valueonly,separator=%x20)');
  const subjects = log('--format=%s');
  const expect = (what: string, count: number, wanted: number): void => {
    if (count !== wanted) problems.push(`${what}: ${String(count)} times, not ${String(wanted)}`);
  };
  for (const { bead, id } of slung) {
    expect(`merge of ${bead.label} (${id})`, countOf(merges, id), 1);
    expect(`commit "work ${bead.label}"`, countOf(subjects, `work ${bead.label}`), 1);
    if (bead.style === 'red') expect(`commit "fix ${bead.label}"`, countOf(subjects, `fix ${bead.label}`), 1);
    const file = fileAt(bare, `work/${bead.label}.txt`);
    if (file !== `${bead.label}\n`) problems.push(`work/${bead.label}.txt holds ${JSON.stringify(file)}`);
    if (bead.shared !== null)
      expect(`line of ${bead.label}`, countOf(fileAt(bare, `shared/${bead.shared}.txt`).split('\n'), bead.label), 1);
  }
  expect('first-parent commits', log('--first-parent', '--format=%H').length, slung.length + 1);
  return problems;
}

function fileAt(bare: string, path: string): string {
  try {
    return git(['--git-dir', bare, 'show', `main:${path}`]);
  } catch {
    return '';
  }
}

/** The remote's own log of its branch: each push put merges on top of the old commit, one on the other, and the tree of the last was green. */
function judgePushes(bare: string, rig: string, gates: readonly GateLine[]): string[] {
  const problems: string[] = [];
  const moves = readFileSync(join(bare, 'logs/refs/heads/main'), 'utf8').trimEnd().split('\n').slice(1);
  for (const move of moves) {
    const [old = '', now = ''] = move.split(' ');
    const tree = git(['--git-dir', bare, 'log', '-1', '--format=%T', now]).trim();
    const parents = git(['--git-dir', bare, 'log', '--first-parent', '--format=%P', `${old}..${now}`]).trim();
    const [below = ''] = (parents.split('\n').at(-1) ?? '').split(' ');
    if (below !== old) problems.push(`main went from ${old} to ${now}, which stands on ${below}`);
    const pushedAtMs = (Number(/> (\d+) /.exec(move)?.[1] ?? 0) + 1) * 1_000;
    const green = gates.some((line) => line.green && line.rig === rig && line.tree === tree && line.atMs <= pushedAtMs);
    if (!green) problems.push(`${now} was pushed and no gate was green on its tree before`);
  }
  return problems;
}

function judgeFsck(gitDir: string): string[] {
  try {
    const said = git(['--git-dir', gitDir, 'fsck', '--full', '--strict', '--no-dangling', '--no-progress']);
    return said.trim() === '' ? [] : [`fsck of ${gitDir}: ${said.trim()}`];
  } catch (error) {
    return [`fsck of ${gitDir}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** After "gt down" nothing of the town lives. */
function judgeLeftovers(stage: Stage): string[] {
  const { paths, identity } = stage.town;
  const left = [...markedProcesses(identity.id), ...serversOf(paths.root)];
  const problems = left.map(({ pid, command }) => `process ${String(pid)} is left: ${command.slice(0, 120)}`);
  for (const lock of [paths.lockFile, join(paths.dataDir, 'runner.lock')])
    if (isLocked(lock)) problems.push(`${lock} is still held`);
  return problems;
}
