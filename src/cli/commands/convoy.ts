import type { ConvoyDetailItem, ConvoyItem } from '../../api/contract/convoys.ts';
import { usage } from '../../core/errors.ts';
import { LANDING_ATTEMPTS_MAX, PAGE_SIZE_MAX } from '../../core/limits.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain, state, table, type Style } from '../output.ts';
import type { PlannedConvoy } from '../plan-file.ts';
import { clientOf, query, segment } from '../town-client.ts';
import { titleOf } from './bead.ts';
import { CONVOY_HEAD, convoyRow, printItems } from './watch.ts';

export const create: CommandSpec = {
  usage: 'gt convoy create <title> --file <plan> | --bead <id>…',
  summary: 'several beads as one plan, over one or more rigs, with what comes first',
  examples: [
    'gt convoy create "Login" --file plan.toml',
    'gt convoy create "Cleanup" --bead app-7k3qf --bead lib-9m2aa --staged',
  ],
  args: ['<title>'],
  options: {
    file: { type: 'string', value: 'plan', help: 'a plan in TOML or JSON; - is stdin (JSON)' },
    bead: { type: 'string', value: 'id', help: 'a bead that exists; repeat, or separate by commas' },
    staged: { type: 'boolean', help: 'record it; it runs after "gt convoy start"' },
    'on-failure': {
      type: 'string',
      value: 'policy',
      help: 'hold (default): wait for a person; skip: land the rest; abort',
    },
    'merge-mode': {
      type: 'string',
      value: 'mode',
      help: 'review-and-merge (default): each bead merges when it is done; review-then-land: all land together, rig by rig',
    },
    'landing-order': {
      type: 'string',
      value: 'rig',
      help: 'the rigs in the order in which they land; repeat, or separate by commas',
    },
  },
  notes: [
    'A plan:',
    '  merge_mode = "review-then-land"     # also: on_failure, landing_order = ["app", "web"]',
    '  [[tasks]]',
    '  id = "api"              # a label of your own, for depends_on',
    '  rig = "app"',
    '  title = "Add the API"',
    '  body = """…"""          # or body_file = "api.md", beside the plan',
    '  [[tasks]]',
    '  rig = "web"',
    '  title = "Use the API"',
    '  depends_on = ["api"]    # labels, positions from 0, or ids of beads',
  ].join('\n'),
  run: async (context, args) => {
    const plan = await planOf(args);
    const order = args.list('landing-order');
    const input = {
      title: titleOf(args.at(0), 'gt convoy create "The new login" --file plan.toml'),
      ...plan,
      staged: args.flag('staged'),
      on_failure: args.text('on-failure') ?? plan.on_failure,
      merge_mode: args.text('merge-mode') ?? plan.merge_mode,
      landing_order: order.length > 0 ? order : plan.landing_order,
    };
    const convoy = await clientOf(context).post<ConvoyDetailItem>('convoys', input);
    printConvoy(context, convoy);
    return EXIT.ok;
  },
};

/** Tasks of a plan file, or beads that exist. */
export async function planOf(
  args: Arguments,
): Promise<Partial<PlannedConvoy> & { readonly beads?: readonly string[] }> {
  const file = args.text('file');
  const beads = args.list('bead');
  if (file === undefined && beads.length === 0)
    throw usage('empty_convoy', 'A convoy needs --file or --bead.', 'See "gt help convoy create" for a plan.', 'file');
  if (file !== undefined && beads.length > 0)
    throw usage('mixed_convoy', '--file and --bead exclude each other.', 'Give one of them.', 'bead');
  return file === undefined ? { beads } : (await import('../plan-file.ts')).readPlan(file);
}

export function printConvoy(context: Context, convoy: ConvoyDetailItem): void {
  if (context.json) {
    context.print(JSON.stringify(convoy));
    return;
  }
  const { style } = context;
  const rows = convoy.beads.map((bead) => [
    String(bead.position),
    bead.id ?? '-',
    bead.rig,
    state(style, bead.bead?.phase ?? bead.status),
    bead.title,
    bead.depends_on.join(' '),
  ]);
  context.print(
    [
      `${paint(style, 'bold', convoy.id)}  ${state(style, convoy.phase)}${convoy.partial ? ' (partially)' : ''}  ${String(convoy.closed_beads)}/${String(convoy.total_beads)}  ${plain(convoy.title)}`,
      `  ${plain(convoy.why.sentence)}`,
      ...(convoy.why.next === null ? [] : [`  next: ${plain(convoy.why.next)}`]),
      ...(convoy.why.command === null ? [] : [`  run: ${plain(convoy.why.command)}`]),
      '',
      table(style, ['#', 'ID', 'RIG', 'STATE', 'TITLE', 'AFTER'], rows),
      ...landingLines(style, convoy),
      ...revertLines(style, convoy),
    ].join('\n'),
  );
}

/** One line per rig that lands, in order. */
function landingLines(style: Style, convoy: ConvoyDetailItem): readonly string[] {
  if (convoy.landings.length === 0) return [];
  const rows = convoy.landings.map((landing) => [
    landing.rig,
    state(style, landing.state),
    landing.attempt === 0 ? '-' : `${String(landing.attempt)}/${String(LANDING_ATTEMPTS_MAX)}`,
    landing.bead_id ?? '-',
    plain(landing.merge_sha?.slice(0, 12) ?? landing.reason ?? ''),
  ]);
  return ['', table(style, ['LANDS IN', 'STATE', 'ATTEMPT', 'ID', 'AS'], rows)];
}

/** One line per branch whose merges are taken back. */
function revertLines(style: Style, convoy: ConvoyDetailItem): readonly string[] {
  if (convoy.reverts.length === 0) return [];
  const rows = convoy.reverts.map((revert) => [
    revert.rig,
    revert.target,
    state(style, revert.state),
    revert.bead_id ?? '-',
    plain(revert.merge_sha?.slice(0, 12) ?? revert.reason ?? ''),
  ]);
  return ['', table(style, ['REVERTED IN', 'BRANCH', 'STATE', 'ID', 'AS'], rows)];
}

export const list: CommandSpec = {
  usage: 'gt convoy list',
  summary: 'list convoys',
  examples: ['gt convoy list', 'gt convoy list --json'],
  options: {
    limit: { type: 'string', value: 'n', help: 'at most so many' },
    after: { type: 'string', value: 'cursor', help: 'continue with the "next" of an earlier list' },
  },
  run: async (context, args) => {
    const page = await clientOf(context).get<{ items: ConvoyItem[]; next: string | null }>(
      `convoys${query({ limit: args.number('limit', { min: 1, max: PAGE_SIZE_MAX }), after: args.text('after') })}`,
    );
    return printItems(context, page, {
      head: CONVOY_HEAD,
      row: (convoy) => convoyRow(context.style, convoy),
      empty: 'No convoys yet. Make one with: gt convoy create "<title>" --file plan.toml',
    });
  },
};

export const show: CommandSpec = {
  usage: 'gt convoy show <id>',
  summary: 'one convoy, its beads, and what it waits for',
  examples: ['gt convoy show hq-cv-9m2aa', 'gt convoy show hq-cv-9m2aa --json'],
  args: ['<id>'],
  run: async (context, args) => {
    printConvoy(context, await clientOf(context).get<ConvoyDetailItem>(`convoys/${segment(args.at(0))}`));
    return EXIT.ok;
  },
};

export const start: CommandSpec = {
  usage: 'gt convoy start <id>',
  summary: 'start a staged convoy',
  examples: ['gt convoy start hq-cv-9m2aa', 'gt convoy start hq-cv-9m2aa --json'],
  args: ['<id>'],
  run: async (context, args) => {
    printConvoy(context, await clientOf(context).post<ConvoyDetailItem>(`convoys/${segment(args.at(0))}/start`, {}));
    return EXIT.ok;
  },
};
