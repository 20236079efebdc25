import { spawn } from 'node:child_process';

import type { DiffAnswer, DiffRequest } from '../../api/contract/diff.ts';
import { precondition } from '../../core/errors.ts';
import { parseDiffList } from '../../core/diff.ts';
import { DIFF_BYTES_MAX, DIFF_FILES_MAX, DIFF_LIST_BYTES_MAX, DIFF_RENAMES_MAX, DIFF_TIMEOUT_MS } from '../limits.ts';
import { git, GitError, pinned, type GitPlace } from './git.ts';
import type { Repos } from './repos.ts';

/** Nothing that a repository says about its files runs a program: no drivers, no text conversions. */
const PLAIN = [
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--no-relative',
  '--find-renames',
  `-l${String(DIFF_RENAMES_MAX)}`,
];

/**
 * What the work changes: from where it left the target to its head, so that what others merged meanwhile is not in it.
 * Bounded; says what is missing. Errors: `commit_not_here`, `GitError`.
 */
export async function workDiff(repos: Repos, request: DiffRequest): Promise<DiffAnswer> {
  const repo = await repos.ensure(request.repo);
  const { place } = repo;
  const head = await findHead(repos, place, request);
  const base = await baseOf(place, head, request);
  const between = ['--end-of-options', base, head];
  const list = await firstOf(
    place,
    ['diff-tree', '-r', '-z', '--raw', '--numstat', ...PLAIN, ...between],
    DIFF_LIST_BYTES_MAX,
  );
  const files = parseDiffList(list.text);
  const patch = await firstOf(place, ['diff-tree', '-r', '--patch', ...PLAIN, ...between], DIFF_BYTES_MAX);
  return {
    base,
    head,
    files: files.slice(0, DIFF_FILES_MAX),
    more: Math.max(0, files.length - DIFF_FILES_MAX),
    text: patch.text,
    isCut: patch.isCut,
  };
}

/** The head, or what was made of it on the target: the branch of merged work may be gone everywhere. */
async function findHead(repos: Repos, place: GitPlace, request: DiffRequest): Promise<string> {
  const { head, merged } = request;
  if (await isHere(place, head)) return head;
  await repos.fetchAll(request.repo);
  if (await isHere(place, head)) return head;
  await repos.fetchWork(request.repo);
  if (await isHere(place, head)) return head;
  if (merged !== null && (await isHere(place, merged))) return merged;
  throw precondition(
    'commit_not_here',
    `The commit ${head.slice(0, 12)} is neither at this runner nor on the origin.`,
    'What was merged of it is in the history of the target.',
  );
}

async function baseOf(place: GitPlace, head: string, request: DiffRequest): Promise<string> {
  const { merged, repo, base } = request;
  const others = merged === null ? [`refs/remotes/origin/${repo.targetBranch}`] : [`${merged}^1`];
  for (const other of others) {
    const found = await git(place, ['merge-base', '--end-of-options', other, head], { ok: [0, 1, 128] });
    const commit = found.stdout.trim();
    // A head that is on the target already would be compared with itself.
    if (found.code === 0 && commit !== head) return commit;
  }
  if (base !== null && (await isHere(place, base))) return base;
  const parent = await git(place, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${head}^1`], {
    ok: [0, 1, 128],
  });
  return parent.code === 0 ? parent.stdout.trim() : emptyTree(place);
}

const emptyTree = async (place: GitPlace): Promise<string> =>
  (await git(place, ['hash-object', '-t', 'tree', '--stdin'])).stdout.trim();

const isHere = async (place: GitPlace, commit: string): Promise<boolean> =>
  (await git(place, ['cat-file', '-e', '--end-of-options', `${commit}^{commit}`], { ok: [0, 1, 128] })).code === 0;

/** The beginning of a command's output; the command ends when that is enough. Errors: `GitError`. */
function firstOf(
  place: GitPlace,
  args: readonly string[],
  bytesMax: number,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  const { command, words, options } = pinned(place, args);
  const child = spawn(command, [...words], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DIFF_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > bytesMax) child.kill('SIGKILL');
  });
  child.stderr.resume();
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(new GitError('diff-tree', null, error.message));
    });
    child.on('close', (code) => {
      const isCut = size > bytesMax;
      if (code === 0 || isCut) resolve({ text: Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8'), isCut });
      else reject(new GitError('diff-tree', code, 'it did not end well, or took too long'));
    });
  });
}
