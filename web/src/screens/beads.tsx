import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { BeadItem } from '../../../src/api/contract/beads.ts';
import { useAddress } from '../address.ts';
import { part } from '../api.ts';
import { Age, Asked, Head, Nothing, Screen, StateWord } from '../parts.tsx';

/** The columns of the board, by what the facts say; nothing is dragged. */
const COLUMNS: readonly (readonly [name: string, statuses: string])[] = [
  ['Open', 'open'],
  ['In progress', 'in_progress'],
  ['In review', 'in_review'],
  ['Failed', 'failed'],
  ['Closed', 'closed'],
];

export function Beads(): ReactNode {
  const [column, setColumn] = useAddress('status');
  const [rig, setRig] = useAddress('rig');
  const [words, setWords] = useAddress('q');
  return (
    <Screen
      title="Beads"
      side={
        <div className="flex flex-wrap gap-2 text-soft">
          <label>
            Show{' '}
            <select className="button" value={column} onChange={(event) => setColumn(event.target.value)}>
              <option value="">all</option>
              {COLUMNS.map(([name, status]) => (
                <option key={status} value={status}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label>
            of rig <input className="button w-24" value={rig} onChange={(event) => setRig(event.target.value)} />
          </label>
          <label>
            with{' '}
            <input
              className="button w-36"
              value={words}
              placeholder="id, title, agent"
              onChange={(event) => setWords(event.target.value)}
            />
          </label>
        </div>
      }
    >
      <Asked<{ items: readonly BeadItem[]; next: string | null }> name={['beads']} path="beads?limit=500&order=newest">
        {({ items, next }) => {
          const some = items.filter(
            (bead) =>
              (column === '' || bead.status === column) &&
              (rig === '' || bead.rig === rig) &&
              `${bead.id} ${bead.title} ${bead.agent ?? ''}`.includes(words),
          );
          if (some.length === 0)
            return <Nothing why="No bead is like that. Make one with" command='gt sling "what to do" --rig <rig>' />;
          return (
            <>
              {next !== null && <p className="text-soft">The newest 500 beads; search finds the others.</p>}
              <BeadTable beads={some} />
            </>
          );
        }}
      </Asked>
    </Screen>
  );
}

export function BeadTable({ beads }: { readonly beads: readonly BeadItem[] }): ReactNode {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Beads">
      <table className="table">
        <Head names={['Bead', 'State', 'Title', 'Rig', 'Agent', 'Attempts', 'Changed']} />
        <tbody>
          {beads.map((bead) => (
            <tr key={bead.id} data-row data-subject={bead.id}>
              <td>
                <Link to={`/beads/${part(bead.id)}`} className="link">
                  <code>{bead.id}</code>
                </Link>
              </td>
              <td>
                <StateWord word={bead.phase} />
              </td>
              <td className="min-w-40">{bead.title}</td>
              <td>{bead.rig}</td>
              <td>{bead.agent ?? '—'}</td>
              <td>{bead.attempts}</td>
              <td>
                <Age at={bead.updated_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
