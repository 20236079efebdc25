import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, type ReactNode } from 'react';
import type { ConvoyDetailItem } from '../../../src/api/contract/convoys.ts';
import { part } from '../api.ts';
import { Ref } from '../links.tsx';
import { Asked, Facts, Head, Screen, StateWord } from '../parts.tsx';
import { WhyText } from '../why.tsx';
import { Progress } from './convoys.tsx';

const Graph = lazy(async () => ({ default: (await import('../graph.tsx')).Graph }));

/** One convoy: the graph of its beads, the same as a table, and why it waits. */
export function Convoy(): ReactNode {
  const { id } = useParams({ strict: false }) as { id: string };
  return (
    <Screen title={id}>
      <Asked<ConvoyDetailItem> name={['convoy', id]} path={`convoys/${part(id)}`}>
        {(convoy) => (
          <div className="flex flex-col gap-3" data-subject-page={convoy.id}>
            <section className="card" aria-label="Convoy">
              <h2 className="text-lg">{convoy.title}</h2>
              <p className="my-1">
                <StateWord word={convoy.phase} />
              </p>
              <Progress convoy={convoy} />
              <Facts
                of={[
                  ['Lands', convoy.merge_mode.replaceAll('-', ' ')],
                  ['On failure', convoy.on_failure],
                  [
                    'Feature branch',
                    convoy.feature_branch === null ? null : <code key="branch">{convoy.feature_branch}</code>,
                  ],
                  [
                    'Landing order',
                    convoy.landing_order.length === 0 ? 'as they come' : convoy.landing_order.join(', then '),
                  ],
                ]}
              />
            </section>
            <section className="card" aria-label="Why">
              <WhyText why={convoy.why} />
            </section>
            <Suspense fallback={<p>Drawing …</p>}>
              <Graph convoy={convoy} />
            </Suspense>
            <Table convoy={convoy} />
          </div>
        )}
      </Asked>
    </Screen>
  );
}

type Row = ConvoyDetailItem['beads'][number];

/** In which wave a bead can run: after everything that it waits for. */
export function waveOf(beads: readonly Row[], position: number, seen: readonly number[] = []): number {
  const bead = beads.find((one) => one.position === position);
  if (bead === undefined || seen.includes(position)) return 1;
  return 1 + Math.max(0, ...bead.depends_on.map((other) => waveOf(beads, other, [...seen, position])));
}

function Table({ convoy }: { readonly convoy: ConvoyDetailItem }): ReactNode {
  const nameOf = (position: number): string =>
    convoy.beads.find((one) => one.position === position)?.title ?? `place ${position}`;
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Beads of the convoy">
      <table className="table">
        <caption className="text-left font-semibold">The same as a table</caption>
        <Head names={['Wave', 'Bead', 'State', 'Title', 'Rig', 'Waits for', 'Merged as']} />
        <tbody>
          {convoy.beads
            .toSorted(
              (a, b) => waveOf(convoy.beads, a.position) - waveOf(convoy.beads, b.position) || a.position - b.position,
            )
            .map((bead) => (
              <tr key={bead.position} data-row data-subject={bead.id ?? convoy.id}>
                <td>{waveOf(convoy.beads, bead.position)}</td>
                <td>{bead.id === null ? 'not made yet' : <Ref id={bead.id} />}</td>
                <td>
                  <StateWord word={bead.bead?.phase ?? bead.status} />
                </td>
                <td>
                  {bead.id === null ? (
                    bead.title
                  ) : (
                    <Link to={`/beads/${part(bead.id)}`} className="link">
                      {bead.title}
                    </Link>
                  )}
                </td>
                <td>{bead.rig}</td>
                <td>{bead.depends_on.length === 0 ? 'nothing' : bead.depends_on.map(nameOf).join(', ')}</td>
                <td>{bead.merge_sha === null ? '—' : <code>{bead.merge_sha.slice(0, 10)}</code>}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
