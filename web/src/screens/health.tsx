import type { ReactNode } from 'react';
import type { RunnerItem } from '../../../src/api/contract/runners.ts';
import type { StatusItem } from '../../../src/api/contract/town.ts';
import { Age, Asked, Facts, Nothing, Screen, StateWord } from '../parts.tsx';

/** Is the machine itself well: rigs and their breakers, runners, invariants. */
export function Health(): ReactNode {
  return (
    <Screen title="Health">
      <Asked<StatusItem> name={['status']} path="status">
        {(status) => (
          <div className="flex flex-col gap-3">
            <Invariants violations={status.violations} />
            <section aria-label="Rigs">
              <h2 className="mb-1 font-semibold">Rigs</h2>
              {status.rigs.length === 0 && (
                <Nothing why="There is no rig yet. Add one with" command="gt rig add <name> <url>" />
              )}
              <ul className="grid gap-2 sm:grid-cols-2">
                {status.rigs.map((rig) => (
                  <li key={rig.id} className="card" data-row data-subject={rig.id}>
                    <p>
                      <strong>{rig.id}</strong> <StateWord word={rig.status} />
                    </p>
                    <Facts
                      of={[
                        ['Because', rig.status_reason],
                        ['Attempts', `${rig.live_attempts} of ${rig.polecats_max}`],
                        ['Ready', rig.ready_beads],
                        ['In line', rig.queue_length],
                        ['Gates', rig.gates.length === 0 ? 'none' : rig.gates.join(', ')],
                      ]}
                    />
                  </li>
                ))}
              </ul>
            </section>
            <section aria-label="Watchdog">
              <h2 className="mb-1 font-semibold">Watchdog</h2>
              {status.health.length === 0 && <Nothing why="Nothing is watched: no work is under way." />}
              <ul className="flex flex-col gap-1">
                {status.health.map((item) => (
                  <li key={item.subject} className="card">
                    <strong>{item.subject}</strong> <StateWord word={item.status} /> answered{' '}
                    <Age at={item.answered_at} />
                    {item.detail !== null && <span className="text-soft"> {item.detail}</span>}
                  </li>
                ))}
              </ul>
            </section>
          </div>
        )}
      </Asked>
      <h2 className="mt-3 mb-1 font-semibold">Runners</h2>
      <Asked<{ items: readonly RunnerItem[] }> name={['runners']} path="runners">
        {({ items }) => (
          <ul className="flex flex-col gap-1">
            {items.map((runner) => (
              <li key={runner.id} className="card">
                <strong>{runner.id}</strong> <StateWord word={runner.status} />
              </li>
            ))}
          </ul>
        )}
      </Asked>
    </Screen>
  );
}

function Invariants({ violations }: { readonly violations: readonly string[] }): ReactNode {
  return (
    <section aria-label="Invariants" className="card">
      <h2 className="font-semibold">Invariants</h2>
      {violations.length === 0 ? (
        <p>
          <StateWord word="ok" />: all hold.
        </p>
      ) : (
        <ul>
          {violations.map((text) => (
            <li key={text}>
              <StateWord word="failed" /> {text}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
