import type { CostsItem } from '../../api/contract/money.ts';
import { COST_KEYS, dollars, tokenCount, type CostKey } from '../../core/money.ts';
import { counted } from '../../core/text.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain, table } from '../output.ts';
import { sinceOf } from '../since.ts';
import { clientOf, query } from '../town-client.ts';

type Sum = CostsItem['total'];

export const costs: CommandSpec = {
  usage: 'gt costs [--rig <name>] [--convoy <id>] [--bead <id>] [--since <when>] [--by <what>]',
  summary: 'what was spent and reserved, by merged change, by what was wasted, by runtime and model',
  examples: [
    'gt costs',
    'gt costs --since 24h --rig app',
    'gt costs --by day --since 168h',
    'gt costs --bead app-7k3qf --json',
  ],
  options: {
    rig: { type: 'string', value: 'name', help: 'only this rig' },
    convoy: { type: 'string', value: 'id', help: 'only what was dispatched for this convoy' },
    bead: { type: 'string', value: 'id', help: 'only this bead, with all rework of its branch' },
    since: { type: 'string', value: 'when', help: 'attempts that began since: 24h, or 2026-01-31' },
    by: { type: 'string', value: 'what', help: `a row for each ${COST_KEYS.join(', ')} (UTC)` },
  },
  notes:
    'Agents say themselves what they use ("gt usage"). What nobody said is unknown and shown so, never counted as nothing; budgets count it with what was expected. A recipe that says nothing used nothing.',
  run: async (context, args) => {
    const by = args.choice('by', COST_KEYS);
    const item = await clientOf(context).get<CostsItem>(
      `costs${query({
        rig: args.text('rig'),
        convoy: args.text('convoy'),
        bead: args.text('bead'),
        since: sinceOf(args.text('since')),
        by,
      })}`,
    );
    context.print(context.json ? JSON.stringify(item) : costsText(context, item, by));
    return EXIT.ok;
  },
};

/** The known part, and how much is not known. */
function money(sum: Sum): string {
  if (sum.micro_usd === null) return sum.unknown_cost === 0 ? dollars(0) : 'unknown';
  return sum.unknown_cost === 0
    ? dollars(sum.micro_usd)
    : `at least ${dollars(sum.micro_usd)} (unknown of ${String(sum.unknown_cost)})`;
}

function tokens(sum: Sum): string {
  const known = sum.tokens_in + sum.tokens_out + sum.tokens_cached;
  if (sum.unknown_tokens === 0) return tokenCount(known);
  return known === 0 ? 'unknown' : `at least ${tokenCount(known)}`;
}

/** What a row without a name stands for. */
const NAMELESS: Readonly<Record<CostKey, string>> = {
  rig: 'none',
  convoy: 'no convoy',
  bead: 'none',
  agent: 'none',
  model: 'the default model',
  day: 'none',
};

function costsText(context: Context, item: CostsItem, asked: CostKey | undefined): string {
  const { total } = item;
  const { style } = context;
  const attempts = (sum: Sum): string => counted(sum.attempts, 'attempt');
  const unknown = total.unknown_cost > 0 ? 'at least ' : '';
  const perMerged = item.per_merged_micro_usd === null ? 'unknown' : `${unknown}${dollars(item.per_merged_micro_usd)}`;
  const lines = [
    `${paint(style, 'bold', 'spent')}     ${money(total)}, ${tokens(total)}, ${attempts(total)}`,
    `${paint(style, 'bold', 'reserved')}  ${dollars(total.reserved_micro_usd)}, ${tokenCount(total.reserved_tokens)}`,
    item.merged === 0
      ? 'nothing is merged yet'
      : `${paint(style, 'bold', 'merged')}    ${String(item.merged)}, ${perMerged} each`,
  ];
  if (total.assumed_micro_usd > 0)
    lines.push(`budgets count ${dollars(total.assumed_micro_usd)} for attempts that did not say what they used`);
  const part = (head: string, rows: readonly (readonly string[])[]): string[] =>
    rows.length === 0 ? [] : ['', table(style, [head.toUpperCase(), 'COST', 'TOKENS', 'ATTEMPTS'], rows)];
  const cells = (name: string, sum: Sum): readonly string[] => [plain(name), money(sum), tokens(sum), attempts(sum)];
  if (asked !== undefined)
    return [
      ...lines,
      ...part(
        asked,
        item.groups.map((row) => cells(row.key ?? `(${NAMELESS[asked]})`, row.sum)),
      ),
    ].join('\n');
  return [
    ...lines,
    ...part(
      'wasted by',
      item.waste.map((row) => cells(row.cause, row.sum)),
    ),
    ...part(
      'runtime and model',
      item.engines.map((row) => cells(`${row.runtime} ${row.model ?? ''}`.trim(), row.sum)),
    ),
    ...(item.rigs.length > 1
      ? part(
          'rig',
          item.rigs.map((row) => cells(row.rig, row.sum)),
        )
      : []),
  ].join('\n');
}
