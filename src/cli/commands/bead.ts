import type { BeadDetailItem, BeadItem } from '../../api/contract/beads.ts';
import { TownError, usage } from '../../core/errors.ts';
import { PAGE_SIZE_MAX } from '../../core/limits.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { hintMissingRecipe } from '../missing-recipe.ts';
import { ago, paint, plain, state, table } from '../output.ts';
import type { Style } from '../output.ts';
import { agentEnv, ask, hasHook } from '../agent-call.ts';
import { readText } from '../read-text.ts';
import { stepLines } from '../step-lines.ts';
import { clientOf, query, segment, TownClient } from '../town-client.ts';

interface BeadPage {
  readonly items: readonly BeadItem[];
  readonly next: string | null;
}

/** Text of `--body` or `--body-file` (`-` is stdin). Errors: `two_bodies`, `file_unreadable`. */
export const bodyOf = (args: Arguments): string | undefined => textOf(args, 'body');

/** A text given on the command line or in a file (`--<name>-file`). Errors: `two_texts`, `file_unreadable`. */
export function textOf(args: Arguments, name: string): string | undefined {
  const text = args.text(name);
  const file = args.text(`${name}-file`);
  if (text !== undefined && file !== undefined)
    throw usage('two_texts', `--${name} and --${name}-file exclude each other.`, 'Give one of them.', name);
  return file === undefined ? text : readText(file, `${name}-file`);
}

/** The rig of `--rig`, else of the surroundings (an agent's worktree). Errors: `no_rig`. */
export function rigOf(context: Context, args: Arguments): string {
  const rig = args.text('rig') ?? context.env['GT_RIG'];
  if (rig === undefined || rig === '')
    throw usage(
      'no_rig',
      'It is not said which rig this is for.',
      'Add --rig <name>; "gt rig list" shows the names.',
      'rig',
    );
  return rig;
}

const CREATED = 'gt bead create "Fix the login page" --rig app';

/** The title as it was given. Errors: `bad_field` for one that says nothing. */
export function titleOf(title: string, example: string): string {
  if (title.trim() !== '') return title;
  throw usage('bad_field', 'The title is empty.', `Give the title in quotes: ${example}`, 'title');
}

export const WORK_OPTIONS = {
  runtime: { type: 'string', value: 'name', help: 'which agent program runs it (default: of the rig)' },
  model: { type: 'string', value: 'name', help: 'which model (default: of the rig)' },
} as const;

export const create: CommandSpec = {
  usage: 'gt bead create <title> --rig <rig> [options]',
  summary: 'write down a piece of work; it runs once it is slung',
  examples: [
    'gt bead create "Fix the login page" --rig app',
    'gt bead create "Write docs" --rig app --body-file notes.md --depends-on app-7k3qf --sling',
  ],
  args: ['<title>'],
  options: {
    rig: { type: 'string', value: 'rig', help: 'the rig it belongs to (default: GT_RIG)' },
    body: { type: 'string', value: 'text', help: 'what is to be done' },
    'body-file': { type: 'string', value: 'file', help: 'read the body from a file; - is stdin' },
    priority: { type: 'string', value: 'p', help: 'critical, high, medium or low' },
    'depends-on': { type: 'string', value: 'id', help: 'a bead that comes first; repeat, or separate by commas' },
    'target-branch': { type: 'string', value: 'name', help: 'branch it is merged into (default: of the rig)' },
    sling: { type: 'boolean', help: 'run it as soon as it can' },
    agent: { type: 'string', value: 'name', help: 'the one polecat of the rig that may take it, by name or identity' },
    formula: { type: 'string', value: 'name', help: 'steps to follow: a name in formulas/, or a file' },
    ...WORK_OPTIONS,
  },
  run: async (context, args) => {
    if (hasHook(context.env)) return followUp(context, args);
    const formula = args.text('formula');
    const town = context.town();
    const input = {
      rig: rigOf(context, args),
      title: titleOf(args.at(0), CREATED),
      body: bodyOf(args),
      priority: args.text('priority'),
      depends_on: args.list('depends-on'),
      target_branch: args.text('target-branch'),
      runtime: args.text('runtime'),
      model: args.text('model'),
      agent: args.text('agent'),
      sling: args.flag('sling'),
      formula:
        formula === undefined ? undefined : (await import('../formula-file.ts')).readFormula(formula, town.paths.root),
    };
    const client = new TownClient(town);
    const bead = await client.post<BeadItem>('beads', input);
    printBead(context, bead);
    if (input.sling) await hintMissingRecipe(context, client, bead);
    if (bead.hold === 'staged') context.hint(`Recorded, not running yet. Run it with: gt sling ${bead.id}`);
    return EXIT.ok;
  },
};

/** What an agent may say of follow-up work; the rest is for who gives work out. Errors: `not_for_agents`. */
const FOLLOW_UP_OPTIONS: ReadonlySet<string> = new Set(['body', 'body-file', 'priority']);

async function followUp(context: Context, args: Arguments): Promise<number> {
  const isOwnRig = args.text('rig') === context.env['GT_RIG'];
  const extra = Object.keys(create.options ?? {}).find(
    (name) => args.flag(name) && !FOLLOW_UP_OPTIONS.has(name) && !(name === 'rig' && isOwnRig),
  );
  if (extra !== undefined)
    throw new TownError('forbidden', 'not_for_agents', {
      message: `--${extra} is not for agents: your follow-up work is recorded in your own rig, and who gives it out decides the rest.`,
      next: 'Leave it out. For another rig write to the mayor: gt mail send mayor/ "<subject>".',
    });
  const draft = { title: titleOf(args.at(0), CREATED), body: bodyOf(args), priority: args.text('priority') };
  printBead(context, await ask<BeadItem>(agentEnv(context.env), 'POST', '/agent/beads', draft));
  context.hint('Recorded, and linked to your bead. Go on with your own.');
  return EXIT.ok;
}

/** One bead as JSON or as one line. */
export function printBead(context: Context, bead: BeadItem): void {
  if (context.json) context.print(JSON.stringify(bead));
  else context.print(`${paint(context.style, 'bold', bead.id)}  ${stateOf(context.style, bead)}  ${plain(bead.title)}`);
}

function stateOf(style: Style, bead: BeadItem): string {
  return state(style, bead.phase);
}

export const list: CommandSpec = {
  usage: 'gt bead list [--rig <rig>] [--status a,b] [--convoy <id>]',
  summary: 'list beads, newest first',
  examples: ['gt bead list --rig app', 'gt bead list --status open,in_progress --json'],
  options: {
    rig: { type: 'string', value: 'rig', help: 'only of this rig' },
    status: { type: 'string', value: 'a,b', help: 'only with these: open, in_progress, in_review, closed, failed' },
    convoy: { type: 'string', value: 'id', help: 'only of this convoy' },
    'merge-requests': { type: 'boolean', help: 'merge requests as well' },
    limit: { type: 'string', value: 'n', help: `at most so many (default 100, up to ${String(PAGE_SIZE_MAX)})` },
    after: { type: 'string', value: 'cursor', help: 'continue with the "next" of an earlier list' },
  },
  run: async (context, args) => {
    // A bead in progress is "running" in the list itself.
    const statuses = args.list('status').map((word) => (word === 'running' ? 'in_progress' : word));
    const page = await clientOf(context).get<BeadPage>(
      `beads${query({
        rig: args.text('rig'),
        status: statuses.length === 0 ? undefined : statuses.join(','),
        convoy: args.text('convoy'),
        merge_requests: args.flag('merge-requests') ? 'true' : undefined,
        order: 'newest',
        limit: args.number('limit', { min: 1, max: PAGE_SIZE_MAX }),
        after: args.text('after'),
      })}`,
    );
    printBeads(context, page, 'There are no such beads. Write one down with: gt bead create "<title>" --rig <rig>');
    return EXIT.ok;
  },
};

function printBeads(context: Context, page: BeadPage, empty: string): void {
  if (context.json) {
    context.print(JSON.stringify(page));
    return;
  }
  if (page.items.length === 0) {
    context.hint(empty);
    return;
  }
  const { style } = context;
  const rows = page.items.map((bead) => [
    bead.id,
    stateOf(style, bead),
    bead.priority,
    bead.title,
    bead.agent?.split('/').at(-1) ?? '-',
    ago(style, bead.updated_at),
  ]);
  context.print(table(style, ['ID', 'STATE', 'PRIORITY', 'TITLE', 'AGENT', 'CHANGED'], rows));
  if (page.next !== null) context.hint(`There are more: add --after ${page.next}`);
}

export const ready: CommandSpec = {
  usage: 'gt ready [--rig <rig>]',
  summary: 'beads that can run now',
  examples: ['gt ready', 'gt ready --rig app --json'],
  options: { rig: { type: 'string', value: 'rig', help: 'only of this rig' } },
  run: async (context, args) => {
    const client = clientOf(context);
    const items: BeadItem[] = [];
    let after: string | undefined;
    do {
      const page: BeadPage = await client.get<BeadPage>(
        `beads${query({ rig: args.text('rig'), status: 'open', limit: PAGE_SIZE_MAX, after })}`,
      );
      items.push(...page.items.filter((bead) => bead.phase === 'ready'));
      after = page.next ?? undefined;
    } while (after !== undefined);
    printBeads(context, { items, next: null }, 'Nothing is ready. "gt status" shows what runs and what waits.');
    return EXIT.ok;
  },
};

export const show: CommandSpec = {
  usage: 'gt bead show <id>',
  summary: 'one bead: its state, its story, and what it waits for',
  examples: ['gt bead show app-7k3qf', 'gt bead show app-7k3qf --json'],
  args: ['<id>'],
  run: async (context, args) => {
    const bead = await showBead(context, args.at(0));
    context.print(context.json ? JSON.stringify(bead) : detailText(context.style, bead));
    return EXIT.ok;
  },
};

/** The owner sees every bead, an agent its own. */
async function showBead(context: Context, id: string): Promise<BeadDetailItem> {
  if (!hasHook(context.env)) return clientOf(context).get<BeadDetailItem>(`beads/${segment(id)}`);
  return await ask<BeadDetailItem>(agentEnv(context.env), 'GET', `/agent/bead/${segment(id)}`);
}

function detailText(style: Style, bead: BeadDetailItem): string {
  const lines = [
    `${paint(style, 'bold', bead.id)}  ${plain(bead.title)}`,
    '',
    `  ${stateOf(style, bead)}  ${plain(bead.why.sentence)}`,
  ];
  if (bead.why.next !== null) lines.push(`  next: ${plain(bead.why.next)}`);
  if (bead.why.command !== null) lines.push(`  run: ${plain(bead.why.command)}`);
  const facts: readonly (readonly [string, string | null])[] = [
    ['rig', bead.rig],
    ['kind', bead.kind],
    ['priority', bead.priority],
    ['convoy', bead.convoy_id],
    ['branch', bead.branch],
    ['target', bead.target_branch],
    ['continues', bead.branch_of],
    ['agent', bead.agent],
    ['merged as', bead.evidence?.merge_sha ?? null],
    ['closed', bead.close_reason],
    ['created', `${ago(style, bead.created_at)} ago by ${bead.created_by}`],
  ];
  lines.push(
    '',
    ...facts
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `  ${paint(style, 'dim', name.padEnd(10))}  ${plain(value ?? '')}`),
  );
  if (bead.body.trim() !== '')
    lines.push(
      '',
      ...plain(bead.body.trimEnd())
        .split('\n')
        .map((line) => `  ${line}`),
    );
  if (bead.blockers.length > 0)
    lines.push(
      '',
      table(
        style,
        ['WAITS FOR', 'STATE'],
        bead.blockers.map((blocker) => [blocker.id, blocker.status]),
      ),
    );
  if (bead.attempt_list.length > 0) {
    const rows = bead.attempt_list.map((attempt) => [
      attempt.id,
      attempt.agent,
      state(style, attempt.status === 'live' ? 'running' : attempt.status),
      ago(style, attempt.started_at),
      attempt.reason ?? '',
    ]);
    lines.push('', table(style, ['ATTEMPT', 'AGENT', 'END', 'STARTED', 'REASON'], rows));
  }
  if (bead.molecule !== null) lines.push('', ...stepLines({ style }, bead.molecule).map((line) => `  ${line}`));
  if (bead.rework_beads.length > 0) lines.push('', `  rework: ${bead.rework_beads.join(', ')}`);
  return lines.join('\n');
}
