import { spawn } from 'node:child_process';

import type { DiffAnswer, DiffRequest } from '../../api/contract/diff.ts';
import { precondition } from '../../core/errors.ts';
import { parseDiffList } from '../../core/diff.ts';
import {
  DIFF_BYTES_MAX,
  DIFF_FILES_MAX,
  DIFF_LIST_BYTES_MAX,
  DIFF_NAMES_BYTES_MAX,
  DIFF_RENAMES_MAX,
  DIFF_TIMEOUT_MS,
} from '../limits.ts';
import { git, GitError, pinned, type GitPlace } from './git.ts';
import { landedSince } from '../jobs/trailers.ts';
import { remoteName, type Repos, type RigRepo } from './repos.ts';

const NEWLINE = 10;

/** Nothing that a repository says about its files runs a program: no drivers, no text conversions. */
const PLAIN = [
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--no-relative',
  '--find-renames',
  `-l${String(DIFF_RENAMES_MAX)}`,
];

/** What the user's own settings change even in what git prints for programs: an empty line without its mark. */
const OWN_SETTINGS = ['-c', 'diff.suppressBlankEmpty=false'];

/**
 * What the work changes: from where it left the target to its head, so that what others merged meanwhile is not in it.
 * Bounded; says what is missing. Errors: `commit_not_here`, `GitError`.
 */
export async function workDiff(repos: Repos, request: DiffRequest): Promise<DiffAnswer> {
  const repo = await repos.ensure(request.repo);
  const { place } = repo;
  const head = await findHead(repos, place, request);
  const base = await baseOf(repo, head, request);
  const look = (form: readonly string[], bytesMax: number): Promise<FirstOf> =>
    firstOf(place, [...OWN_SETTINGS, 'diff-tree', '-r', ...form, ...PLAIN, '--end-of-options', base, head], bytesMax);
  const letters = await look(['-z', '--raw'], DIFF_LIST_BYTES_MAX);
  const numbers = await look(['-z', '--numstat'], DIFF_LIST_BYTES_MAX);
  const files = parseDiffList(letters.text, numbers.text);
  // A list that was cut names the first of them; all are counted by their lines, of which each has one.
  const all = letters.isCut || numbers.isCut ? (await look(['--name-only'], DIFF_NAMES_BYTES_MAX)).lines : files.length;
  const patch = await look(['--patch'], DIFF_BYTES_MAX);
  const shown = files.slice(0, DIFF_FILES_MAX);
  return { base, head, files: shown, more: Math.max(0, all - shown.length), text: patch.text, isCut: patch.isCut };
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

async function baseOf(kept: RigRepo, head: string, request: DiffRequest): Promise<string> {
  const { place } = kept;
  const { merged, repo, base } = request;
  // The branch is gone: what landed may be several commits in a row, of which the last says how many.
  const since = head === merged ? await landedSince(kept, head) : null;
  if (since !== null) return since;
  const others = merged === null ? [remoteName(repo.targetBranch)] : [`${merged}^1`];
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

interface FirstOf {
  readonly text: string;
  readonly isCut: boolean;
  readonly lines: number;
}

/** The beginning of a command's output; the command ends when that is enough. Errors: `GitError`. */
function firstOf(place: GitPlace, args: readonly string[], bytesMax: number): Promise<FirstOf> {
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
      const bytes = Buffer.concat(chunks).subarray(0, bytesMax);
      const lines = bytes.reduce((count, byte) => count + Number(byte === NEWLINE), 0);
      if (code === 0 || isCut) resolve({ text: bytes.toString('utf8'), isCut, lines });
      else reject(new GitError('diff-tree', code, 'it did not end well, or took too long'));
    });
  });
}
