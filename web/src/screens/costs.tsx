import type { ReactNode } from 'react';
import type { BudgetItem, CostsItem } from '../../../src/api/contract/money.ts';
import { Asked, Facts, Head, Nothing, Screen } from '../parts.tsx';

const MICRO = 1_000_000;

/** What is not known is said, never shown as nothing. */
function money(sum: CostsItem['total']): string {
  const known = sum.micro_usd === null ? 'not known' : `$${(sum.micro_usd / MICRO).toFixed(2)}`;
  return sum.unknown_cost === 0 ? known : `${known}, and ${sum.unknown_cost} attempts of unknown cost`;
}

const amount = (budget: BudgetItem, value: number): string =>
  budget.unit === 'usd' ? `$${(value / MICRO).toFixed(2)}` : `${value} tokens`;

export function Costs(): ReactNode {
  return (
    <Screen title="Costs">
      <Asked<CostsItem> name={['costs']} path="costs?by=convoy">
        {(costs) => (
          <div className="flex flex-col gap-3">
            <section className="card" aria-label="Sum">
              <Facts
                of={[
                  ['Spent', money(costs.total)],
                  ['Attempts', costs.total.attempts],
                  ['Tokens in', costs.total.tokens_in],
                  ['Tokens out', costs.total.tokens_out],
                  ['Merged beads', costs.merged],
                  [
                    'Per merged bead',
                    costs.per_merged_micro_usd === null
                      ? 'not known'
                      : `$${(costs.per_merged_micro_usd / MICRO).toFixed(2)}`,
                  ],
                ]}
              />
            </section>
            <Sums title="By rig" head="Rig" rows={costs.rigs.map((row) => [row.rig, row.sum])} />
            <Sums title="By convoy" head="Convoy" rows={costs.groups.map((row) => [row.key ?? 'none', row.sum])} />
            <Sums
              title="By runtime and model"
              head="Model"
              rows={costs.engines.map((row) => [`${row.runtime} ${row.model ?? ''}`, row.sum])}
            />
            <Sums
              title="Wasted: attempts that did not merge"
              head="Cause"
              rows={costs.waste.map((row) => [row.cause, row.sum])}
            />
          </div>
        )}
      </Asked>
      <h2 className="mt-3 mb-1 font-semibold">Budgets</h2>
      <Asked<{ items: readonly BudgetItem[] }> name={['budgets']} path="budgets">
        {({ items }) =>
          items.length === 0 ? (
            <Nothing why="There is no budget: nothing limits what is spent. Set one with" command="gt budget set" />
          ) : (
            <ul className="flex flex-col gap-1">
              {items.map((budget) => (
                <li key={budget.id} className="card">
                  <strong>{budget.scope}</strong> {amount(budget, budget.spent)} of {amount(budget, budget.amount)}{' '}
                  spent, {amount(budget, budget.reserved)} reserved ({budget.kind})
                </li>
              ))}
            </ul>
          )
        }
      </Asked>
    </Screen>
  );
}

function Sums(props: {
  readonly title: string;
  readonly head: string;
  readonly rows: readonly (readonly [string, CostsItem['total']])[];
}): ReactNode {
  return (
    <section aria-label={props.title} className="card overflow-x-auto" tabIndex={0} role="region">
      <h2 className="font-semibold">{props.title}</h2>
      {props.rows.length === 0 ? (
        <p className="text-soft">Nothing.</p>
      ) : (
        <table className="table">
          <Head names={[props.head, 'Spent', 'Attempts', 'Tokens in', 'Tokens out']} />
          <tbody>
            {props.rows.map(([name, sum]) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{money(sum)}</td>
                <td>{sum.attempts}</td>
                <td>{sum.tokens_in}</td>
                <td>{sum.tokens_out}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
