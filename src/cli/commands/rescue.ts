import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { precondition, TownError, usage } from '../../core/errors.ts';
import { CONTENT_TIMEOUT_MS, git, gitLines } from '../../hosts/node/git.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, plain, table } from '../output.ts';
import { leftOver, type LeftOver, leftText } from '../left-over.ts';
import { type AllRescued, type Away, cloneOf, type RescuedWork, rescuedWork, type Unread } from '../rescued-work.ts';

const LIMIT = 50;
const LIMIT_MAX = 10_000;
const PROBLEM_CHARS_SHOWN = 300;
/** Refs that are looked at at once; each takes three git processes of some milliseconds. */
const LOOKS_AT_ONCE = 4;

export const list: CommandSpec = {
  usage: 'gt rescue list [bead] [--limit <n>]',
  summary: 'work that agents left and that was kept, the newest first',
  examples: ['gt rescue list', 'gt rescue list app-7k3qf', 'gt rescue list --json'],
  args: ['[bead]'],
  options: { limit: { type: 'string', value: 'n', help: `at most so many (${String(LIMIT)})` } },
  notes:
    'Whatever an attempt left at its end is one commit in a ref of the rig\'s clone at its runner; the next attempt of the bead goes on from it by itself. LEFT is what no branch of the origin has: "nothing new" was handed in whole (commits that were merged squashed or rebased count as left). "not stored" is work that could not be stored: it lies in the folders named, the runner tries again every few minutes, and nothing of it is removed before.',
  run: async (context, args) => {
    const [bead] = args.positionals;
    const { works, unread } = await rescuedWork(context.town(), context.env);
    const all = works.filter((work) => bead === undefined || work.bead === bead);
    const shown = all.slice(0, args.number('limit', { min: 1, max: LIMIT_MAX }) ?? LIMIT);
    const left: (LeftOver | null)[] = [];
    for (let at = 0; at < shown.length; at += LOOKS_AT_ONCE)
      left.push(...(await Promise.all(shown.slice(at, at + LOOKS_AT_ONCE).map((work) => leftOf(context, work)))));
    if (context.json) {
      const items = shown.map((work, index) => ({ ...itemOf(work), ...left[index] }));
      context.print(JSON.stringify({ items, more: all.length - shown.length }));
      refuseUnread(unread);
      return EXIT.ok;
    }
    if (all.length === 0 && unread.length === 0) context.hint('No attempt left anything.');
    else if (all.length > 0) context.print(rows(context, shown, left));
    for (const { attempt, problem } of shown.filter((work) => work.ref === null))
      context.print(`${attempt} is not stored: ${plain(problem ?? '')}`);
    if (all.length > shown.length) context.hint(`${String(all.length - shown.length)} older ones: --limit <n>`);
    refuseUnread(unread);
    return EXIT.ok;
  },
};

/** A list that lacks a clone is none: who counts on it would take work for gone. Errors: `clone_unreadable`. */
function refuseUnread([first, ...others]: AllRescued['unread']): void {
  if (first === undefined) return;
  const more = others.map(({ rig }) => rig).join(', ');
  throw unreadable(first, more === '' ? '' : ` Nor of: ${more}.`);
}

const unreadable = ({ what, problem, next }: Omit<Unread, 'rig'>, more = ''): TownError =>
  precondition(
    'clone_unreadable',
    `What agents left in ${what} can't be read: ${plain(problem.slice(0, PROBLEM_CHARS_SHOWN))}.${more}`,
    next,
  );

/** Null: it is not stored, or not here, or git can't say. */
async function leftOf(context: Context, { ref, rig, away }: RescuedWork): Promise<LeftOver | null> {
  return ref === null || away !== null ? null : leftOver(cloneOf(context.town().paths.dataDir, rig), ref);
}

const itemOf = (work: RescuedWork): object => ({
  rig: work.rig,
  bead: work.bead,
  attempt: work.attempt,
  stored: work.ref !== null,
  ref: work.ref,
  at: new Date(work.atMs).toISOString(),
  folders: work.folders,
  problem: work.problem,
  runner: work.away?.runner ?? null,
  at_origin: work.away?.origin ?? null,
});

function rows(context: Context, shown: readonly RescuedWork[], left: readonly (LeftOver | null)[]): string {
  const cells = shown.map((work, index) => [
    work.attempt,
    work.bead,
    work.rig,
    ago(context.style, work.atMs),
    leftWords(work, left[index] ?? null),
    whereOf(work),
  ]);
  return table(context.style, ['ATTEMPT', 'BEAD', 'RIG', 'AGE', 'LEFT', 'WHERE'], cells);
}

function leftWords({ ref, away }: RescuedWork, left: LeftOver | null): string {
  if (ref === null) return 'all of it';
  return away === null ? leftText(left) : 'not looked at here';
}

function whereOf({ ref, folders, away }: RescuedWork): string {
  if (ref === null) return `not stored: ${folders.join(' and ')}`;
  if (away === null) return ref;
  return `${away.origin === true ? 'origin, from the' : 'at the'} runner ${away.runner}: ${ref}`;
}

/** Errors: not found, `clone_unreadable`. */
async function find(context: Context, attempt: string): Promise<RescuedWork> {
  const { works, unread } = await rescuedWork(context.town(), context.env);
  const found = works.find((work) => work.attempt === attempt);
  if (found === undefined) refuseUnread(unread);
  if (found === undefined)
    throw new TownError('not_found', 'not_found', {
      message: `Nothing that the attempt ${JSON.stringify(attempt)} left is kept here.`,
      next: 'List what is kept with "gt rescue list".',
    });
  return found;
}

interface Stored {
  readonly ref: string;
  readonly rig: string;
  /** Where git has it: the clone of this machine, or the origin. */
  readonly at: string;
  readonly away: Away | null;
}

/** Errors: `not_stored`, `work_elsewhere`. */
async function stored(context: Context, attempt: string): Promise<Stored> {
  const { ref, folders, rig, away } = await find(context, attempt);
  if (ref !== null && away === null) return { ref, rig, at: cloneOf(context.town().paths.dataDir, rig), away };
  if (ref !== null && away !== null && away.url !== null && away.origin === true)
    return { ref, rig, at: away.url, away };
  if (ref !== null && away !== null) throw atRunner(attempt, ref, away);
  throw precondition(
    'not_stored',
    `The work of ${attempt} could not be stored yet; it is in ${folders.join(' and ')}.`,
    'Look at it there. It is stored by itself when what is in the way is gone: gt rescue list says what.',
  );
}

const atRunner = (attempt: string, ref: string, { runner, origin }: Away): TownError =>
  precondition(
    'work_elsewhere',
    `What ${attempt} left lies at the runner ${runner}, as ${ref}; ${origin === null ? 'whether the origin has it too is not known now' : 'the origin does not have it'}.`,
    'Look at it on the machine of that runner; "gt runner list" says whether it answers.',
  );

export const show: CommandSpec = {
  usage: 'gt rescue show <attempt>',
  summary: 'what an attempt left: its commits, and what it had not committed',
  examples: ['gt rescue show at-01k…', 'gt rescue show at-01k… --json'],
  args: ['<attempt>'],
  run: async (context, args) => {
    const { ref, at: clone, rig, away } = await stored(context, args.at(0));
    if (away !== null)
      throw precondition(
        'work_elsewhere',
        `What ${args.at(0)} left is not on this machine: the origin has it as ${ref}, from the runner ${away.runner}.`,
        `Bring it into your clone of ${rig}, there: gt rescue restore ${args.at(0)} --town ${context.town().paths.root}`,
      );
    const ask = async (...words: readonly string[]): Promise<readonly string[]> => {
      const answer = await gitLines(clone, words);
      if ('problem' in answer)
        throw unreadable({
          what: `the clone of ${rig}`,
          problem: answer.problem,
          next: `See what git says: git --git-dir=${clone} show ${ref}`,
        });
      return answer.lines;
    };
    const own = [`${ref}^1`, '--not', '--remotes=origin'];
    const commits = await ask('log', '--format=%h %s', `--max-count=${String(LIMIT)}`, ...own);
    const isCut = commits.length === LIMIT;
    const more = isCut ? Number((await ask('rev-list', '--count', ...own))[0] ?? 0) - LIMIT : 0;
    const files = await ask('diff', '--stat=100', '--no-ext-diff', `${ref}^1`, ref);
    const others = await ask('log', '--no-walk', '--format=%h %s', `${ref}^@`);
    if (context.json) {
      context.print(JSON.stringify({ ref, clone, commits, more, not_committed: files, also: others.slice(1) }));
      return EXIT.ok;
    }
    const rest = more === 0 ? [] : [`and ${String(more)} older: git --git-dir=${clone} log ${own.join(' ')}`];
    section(context, `${ref}\nCommits that are not on the origin:`, [...commits, ...rest]);
    section(context, 'Not committed:', files);
    if (others.length > 1) section(context, 'Also kept (stashed, or reset away):', others.slice(1));
    return EXIT.ok;
  },
};

function section(context: Context, title: string, lines: readonly string[]): void {
  context.print(title);
  for (const line of lines.length === 0 ? ['none'] : lines) context.print(`  ${plain(line)}`);
}

export const restore: CommandSpec = {
  usage: 'gt rescue restore <attempt>',
  summary: 'bring what an attempt left into your own clone, as a branch',
  examples: ['gt rescue restore at-01k…', 'gt rescue restore at-01k… --json'],
  args: ['<attempt>'],
  notes:
    'Run it in a clone of the rig. It makes the branch rescue/<attempt> and touches nothing else: what was not committed is the newest commit of that branch. A branch of that name with other work in it is left alone.',
  run: async (context, args) => {
    const attempt = args.at(0);
    const { ref, at } = await stored(context, attempt);
    const top = await git(['rev-parse', '--show-toplevel'], context.cwd);
    if (!top.ok)
      throw precondition('no_clone', 'This folder is no git repository.', 'Run it in your clone of the rig.');
    const branch = `rescue/${attempt}`;
    // Without force: a branch that went on is not moved back.
    const fetch = ['fetch', '--quiet', '--no-tags', at, `${ref}:refs/heads/${branch}`];
    const fetched = await git(fetch, context.cwd, CONTENT_TIMEOUT_MS);
    if (!fetched.ok)
      throw precondition(
        'not_restored',
        `The branch ${branch} could not be made: ${plain(fetched.stderr.trim().split('\n').at(-1) ?? '')}`,
        `When it is there already, look at it: git log ${branch}`,
      );
    if (context.json) context.print(JSON.stringify({ branch, ref }));
    else context.print(`${branch}  look at it with: git log --stat ${branch}`);
    return EXIT.ok;
  },
};

export const discard: CommandSpec = {
  usage: 'gt rescue discard <attempt> --give-up',
  summary: 'give up work that could not be stored, so that its worktree and its box go',
  examples: ['gt rescue discard at-01k… --give-up', 'gt rescue discard at-01k… --give-up --json'],
  args: ['<attempt>'],
  options: { 'give-up': { type: 'boolean', help: 'you have looked, and nothing of it is needed' } },
  notes:
    'Only for what "gt rescue list" names as not stored. The runner removes it within minutes; until then, deleting the file that this command names takes it back. Work that is stored stays for ever: it costs next to nothing.',
  run: async (context, args) => {
    const attempt = args.at(0);
    const work = await find(context, attempt);
    if (work.ref !== null)
      throw precondition(
        'is_stored',
        `The work of ${attempt} is stored in ${work.ref}; there is nothing to give up.`,
        'Nothing to do: its worktree is used again already.',
      );
    if (!args.flag('give-up'))
      throw usage(
        'not_confirmed',
        `This ends the only copy of what ${attempt} left for ${work.bead}: ${work.folders.join(' and ')}.`,
        `Look there first. Not needed: gt rescue discard ${attempt} --give-up`,
        'give-up',
      );
    const folder = join(context.town().paths.dataDir, 'given-up');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, attempt);
    writeFileSync(file, `${new Date(context.style.nowMs).toISOString()}\n`);
    if (context.json) context.print(JSON.stringify({ attempt, file }));
    else context.print(`${attempt}  given up; the runner removes it within minutes. To take it back, delete ${file}`);
    return EXIT.ok;
  },
};
