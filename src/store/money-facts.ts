import type { Violation } from '../core/invariants.ts';
import { allowance } from '../core/budget.ts';
import type { Sql } from '../ports/sql.ts';
import { MoneyStore } from './money-store.ts';
import { int, text } from './rows.ts';

/**
 * What must hold of money at every moment (I21): what is reserved equals what live attempts reserve, no ended one reserves
 * anything, and no rig gives back what it was not given. Live rows only, so the cost does not grow with history.
 */
export function checkMoney(sql: Sql): readonly Violation[] {
  const money = new MoneyStore(sql);
  const ended = sql
    .all(
      'SELECT id FROM attempts WHERE (reserved_tokens > 0 OR reserved_micro_usd > 0) AND ended_at IS NOT NULL LIMIT 20',
    )
    .map((row) => ({ code: 'I21', text: `${text(row['id'])} has ended and still reserves` }));
  const [live] = sql.all(
    'SELECT coalesce(SUM(reserved_tokens), 0) AS tokens, coalesce(SUM(reserved_micro_usd), 0) AS usd FROM attempts WHERE reserved_tokens > 0 OR reserved_micro_usd > 0',
  );
  const sums = money.spending.of('rig');
  const isEqual = sums.reservedTokens === int(live?.['tokens']) && sums.reservedMicroUsd === int(live?.['usd']);
  return [
    ...ended,
    ...(isEqual
      ? []
      : [
          {
            code: 'I21',
            text: `reserved are ${String(sums.reservedMicroUsd)} and ${String(sums.reservedTokens)}; the live attempts reserve ${String(int(live?.['usd']))} and ${String(int(live?.['tokens']))}`,
          },
        ]),
    ...money
      .budgets()
      .filter((budget) => allowance(budget) < 0)
      .map((budget) => ({ code: 'I21', text: `more of ${budget.id} was returned than was given` })),
  ];
}

/** All attempts: what was spent is what they used or are assumed to have used. For tests; its cost grows with history. */
export function checkAllSpending(sql: Sql): readonly Violation[] {
  const [all] = sql.all(
    `SELECT coalesce(SUM(coalesce(tokens_in, 0) + coalesce(tokens_out, 0) + coalesce(tokens_cached, 0) + assumed_tokens), 0) AS tokens,
        coalesce(SUM(coalesce(cost_micro_usd, 0) + assumed_micro_usd), 0) AS usd
      FROM (SELECT tokens_in, tokens_out, tokens_cached, assumed_tokens, cost_micro_usd, assumed_micro_usd FROM attempts
        UNION ALL SELECT content ->> 'tokens_in', content ->> 'tokens_out', content ->> 'tokens_cached', content ->> 'assumed_tokens',
          content ->> 'cost_micro_usd', content ->> 'assumed_micro_usd' FROM archive_rows WHERE part = 'attempts')`,
  );
  const sums = new MoneyStore(sql).spending.of('rig');
  return sums.tokens === int(all?.['tokens']) && sums.microUsd === int(all?.['usd'])
    ? []
    : [
        {
          code: 'I21',
          text: `spent are ${String(sums.microUsd)} micro-USD; the attempts say ${String(int(all?.['usd']))}`,
        },
      ];
}
