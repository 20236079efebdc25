import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { ConvoyItem } from '../../../src/api/contract/convoys.ts';
import { part } from '../api.ts';
import { Age, Asked, Nothing, Screen, StateWord } from '../parts.tsx';

export function Convoys(): ReactNode {
  return (
    <Screen title="Convoys">
      <Asked<{ items: readonly ConvoyItem[] }> name={['convoys']} path="convoys">
        {({ items }) =>
          items.length === 0 ? (
            <Nothing why="There is no convoy. Make one with" command="gt convoy create plan.toml" />
          ) : (
            <ul className="flex flex-col gap-2">
              {items.toReversed().map((convoy) => (
                <li key={convoy.id} className="card" data-row data-subject={convoy.id}>
                  <div className="flex flex-wrap justify-between gap-x-3">
                    <span>
                      <StateWord word={convoy.phase} />{' '}
                      <Link to={`/convoys/${part(convoy.id)}`} className="link font-semibold">
                        {convoy.title}
                      </Link>
                    </span>
                    <span className="text-soft">
                      <Age at={convoy.created_at} />
                    </span>
                  </div>
                  <Progress convoy={convoy} />
                </li>
              ))}
            </ul>
          )
        }
      </Asked>
    </Screen>
  );
}

export function Progress({ convoy }: { readonly convoy: ConvoyItem }): ReactNode {
  const words = `${convoy.closed_beads} of ${convoy.total_beads} beads closed, ${convoy.failed_beads} failed, ${convoy.cancelled_beads} cancelled`;
  return (
    <p className="mt-1 flex flex-wrap items-center gap-2">
      <progress
        value={convoy.closed_beads}
        max={Math.max(1, convoy.total_beads)}
        aria-label={words}
        className="h-2 w-40"
      />
      {words}
    </p>
  );
}
