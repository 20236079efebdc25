import type { BudgetItem } from '../../api/contract/money.ts';
import { amountText, BUDGET_AMOUNT_MAX, budgetId, type BudgetKind, type BudgetUnit } from '../../core/budget.ts';
import { usage } from '../../core/errors.ts';
import { MICRO_USD } from '../../core/usage.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { clientOf, segment } from '../town-client.ts';
import { usdOf } from './usage.ts';
import { printItems } from './watch.ts';

const row = (item: BudgetItem): readonly string[] => [
  item.scope.replace(':', ' '),
  item.kind,
  amountText(item.spent, item.unit),
  amountText(item.amount, item.unit),
  amountText(item.reserved, item.unit),
  item.waited_for ? 'work waits for it' : item.source === 'config' ? 'from gastown.toml' : '',
];
const HEAD = ['BUDGET', 'KIND', 'SPENT', 'OF', 'RESERVED', ''];

function said({ scope, kind, unit, amount, spent, reserved }: BudgetItem): string {
  const of = `${scope.replace(':', ' ')}: ${kind} budget of ${amountText(amount, unit)}`;
  return `${of}; spent ${amountText(spent, unit)}, reserved ${amountText(reserved, unit)}`;
}

export const list: CommandSpec = {
  usage: 'gt budget list',
  summary: 'budgets: what is spent and reserved of each, and whether work waits for it',
  examples: ['gt budget list', 'gt budget list --json'],
  run: async (context) => {
    const page = await clientOf(context).get<{ items: BudgetItem[]; next: string | null }>('budgets');
    return printItems(context, page, {
      head: HEAD,
      row,
      empty: 'No budgets. Limit what may be spent with "gt budget set town --usd 20".',
    });
  },
};

/** `town`, or a kind and a name. Errors: `bad_scope`. */
function scopeOf(args: Arguments): string {
  const [kind, name] = args.positionals;
  if (kind === 'town' && name === undefined) return 'town';
  if (kind !== undefined && ['rig', 'convoy', 'bead'].includes(kind) && name !== undefined) return `${kind}:${name}`;
  throw usage(
    'bad_scope',
    `${JSON.stringify(args.positionals.join(' '))} is not what a budget can be of.`,
    'Write: town, rig <name>, convoy <id> or bead <id>.',
    'scope',
  );
}

const SCOPE_ARGS = ['<scope>', '[name]'];

function unitOf(args: Arguments, needsAmount: boolean): { readonly unit: BudgetUnit; readonly amount: number } {
  const usd = usdOf(args, 'usd', BUDGET_AMOUNT_MAX / MICRO_USD);
  const tokens = args.number('tokens', { min: 0, max: BUDGET_AMOUNT_MAX });
  if (usd !== undefined && tokens === undefined) return { unit: 'usd', amount: Math.round(usd * MICRO_USD) };
  if (tokens !== undefined && usd === undefined) return { unit: 'tokens', amount: tokens };
  throw usage(
    'which_unit',
    needsAmount ? 'A budget is in dollars or in tokens.' : 'Say which of its budgets.',
    'Give one of --usd and --tokens.',
  );
}

const kindOf = (args: Arguments): BudgetKind => (args.flag('soft') ? 'soft' : 'hard');

export const set: CommandSpec = {
  usage: 'gt budget set town|rig <name>|convoy <id>|bead <id> (--usd <x> | --tokens <n>) [--soft]',
  summary: 'limit what may be spent: when it is used up nothing new is started there',
  examples: ['gt budget set town --usd 20', 'gt budget set rig app --tokens 5000000 --soft'],
  args: SCOPE_ARGS,
  options: {
    usd: { type: 'string', value: 'x', help: 'the limit in US dollars' },
    tokens: { type: 'string', value: 'n', help: 'the limit in tokens: input, output and cached together' },
    soft: { type: 'boolean', help: 'tell a person when it is used up, and go on' },
  },
  notes:
    'All that was ever spent there counts, with what is reserved for running attempts. Running work may finish. Raising the limit lets waiting work go on at once.',
  run: async (context, args) => {
    const body = { scope: scopeOf(args), ...unitOf(args, true), kind: kindOf(args) };
    const item = await clientOf(context).send<BudgetItem>('PUT', 'budgets', body);
    context.print(context.json ? JSON.stringify(item) : said(item));
    return EXIT.ok;
  },
};

export const remove: CommandSpec = {
  usage: 'gt budget remove town|rig <name>|convoy <id>|bead <id> (--usd | --tokens) [--soft]',
  summary: 'end a budget; what waited for it goes on',
  examples: ['gt budget remove town --usd', 'gt budget remove rig app --tokens --soft'],
  args: SCOPE_ARGS,
  options: {
    usd: { type: 'boolean', help: 'the budget in dollars' },
    tokens: { type: 'boolean', help: 'the budget in tokens' },
    soft: { type: 'boolean', help: 'the soft one' },
  },
  run: async (context, args) => {
    if (args.flag('usd') === args.flag('tokens'))
      throw usage('which_unit', 'Say which of its budgets.', 'Give one of --usd and --tokens.');
    const id = budgetId(scopeOf(args), args.flag('usd') ? 'usd' : 'tokens', kindOf(args));
    const answer = await clientOf(context).send<{ removed: string }>('DELETE', `budgets/${segment(id)}`);
    context.print(context.json ? JSON.stringify(answer) : `removed ${answer.removed}`);
    return EXIT.ok;
  },
};
