/** The work of agents in a backup: what is only in the clones of this machine, each as one git bundle. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { precondition, type TownError } from '../../core/errors.ts';
import { CLONE_SETTINGS } from '../../runner/git/clone-settings.ts';
import { bundleOf, rigsIn } from './backup-names.ts';
import { CONTENT_TIMEOUT_MS, git, gitLines } from './git.ts';

const STDERR_CHARS_SHOWN = 300;
/** Attempts, rescues, merges: whatever this system alone has made. */
const WORK_REFS = 'refs/gt/';
const FOLDER = 'work';

const reposOf = (dataDir: string): string => join(dataDir, 'repos');

async function workRefs(repo: string): Promise<readonly string[]> {
  const answer = await gitLines(repo, ['for-each-ref', '--format=%(refname)', WORK_REFS]);
  if ('problem' in answer) throw notCopied(repo, answer.problem);
  return answer.lines;
}

const notCopied = (repo: string, stderr: string): TownError =>
  precondition(
    'work_not_copied',
    `The work in ${repo} could not be copied: ${stderr.trim().slice(0, STDERR_CHARS_SHOWN)}`,
    'Mend the clone, or leave the work of agents out with --no-work.',
  );

/**
 * Writes the work refs of every clone with all that they need, so that a backup is whole without the origin, and reads
 * each bundle back. Called after the databases are copied: refs are only added, so each that a copy names is in it.
 * Answers the files' names below `folder`, and the clones that are named after no rig. Errors: `work_not_copied`.
 */
export async function bundleWork(
  dataDir: string,
  folder: string,
): Promise<{ readonly files: readonly string[]; readonly leftOut: readonly string[] }> {
  const { rigs, others } = rigsIn(reposOf(dataDir), '.git');
  mkdirSync(join(folder, FOLDER), { recursive: true });
  const written: string[] = [];
  for (const rig of rigs) {
    const repo = join(reposOf(dataDir), `${rig}.git`);
    const wanted = await workRefs(repo);
    if (wanted.length === 0) continue;
    const file = bundleOf(rig);
    const create = ['bundle', 'create', '--quiet', join(folder, file), `--glob=${WORK_REFS}*`];
    const made = await git([`--git-dir=${repo}`, ...create], undefined, CONTENT_TIMEOUT_MS);
    if (!made.ok) throw notCopied(repo, made.stderr);
    const read = await gitLines(repo, ['bundle', 'list-heads', join(folder, file)]);
    if ('problem' in read) throw notCopied(repo, read.problem);
    const has = new Set(read.lines.map((line) => line.slice(line.indexOf(' ') + 1)));
    const lost = wanted.find((ref) => !has.has(ref));
    if (lost !== undefined) throw notCopied(repo, `${lost} is not in the copy`);
    written.push(file);
  }
  return { files: written, leftOut: others.map((name) => `repos/${name}`) };
}

/** Makes each rig's clone anew with the work of a backup; the runner follows its origin from there. Errors: `work_not_restored`. */
export async function unbundleWork(backup: string, rigs: readonly string[], dataDir: string): Promise<void> {
  mkdirSync(reposOf(dataDir), { recursive: true });
  for (const rig of rigs) {
    const file = bundleOf(rig);
    // Removed by the runner's first look, should this end half-way.
    const half = join(reposOf(dataDir), `.making-${rig}-restore`);
    rmSync(half, { recursive: true, force: true });
    const steps = [
      ['init', '--quiet', '--bare', half],
      ...CLONE_SETTINGS.map(([key, value]) => [`--git-dir=${half}`, 'config', '--local', key, value]),
      [`--git-dir=${half}`, 'fetch', '--quiet', '--no-tags', join(backup, file), `+${WORK_REFS}*:${WORK_REFS}*`],
    ];
    for (const step of steps) {
      const answer = await git(step, undefined, CONTENT_TIMEOUT_MS);
      if (!answer.ok) throw notTaken(file, answer.stderr);
    }
    renameSync(half, join(reposOf(dataDir), `${rig}.git`));
  }
}

const notTaken = (file: string, stderr: string): TownError =>
  precondition(
    'work_not_restored',
    `${file} could not be read: ${stderr.trim().slice(0, STDERR_CHARS_SHOWN)}`,
    'Look whether there is room on the disk, and restore into another folder.',
  );
