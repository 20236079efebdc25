import { useState, type ReactNode } from 'react';
import type { RigItem } from '../../src/api/contract/rigs.ts';
import type { StatusItem } from '../../src/api/contract/town.ts';
import { useAct } from './act.ts';
import { part } from './api.ts';
import { Age, Asked, StateWord } from './parts.tsx';

/** Stops the merge train of a rig, with a reason that everybody who waits is told; and lets it go on. */
export function Pauses(): ReactNode {
  return (
    <Asked<StatusItem> name={['status']} path="status">
      {({ rigs }) => (
        <ul className="mb-3 flex flex-col gap-2">
          {rigs.map((rig) => (
            <li key={rig.id} className="card">
              <RigTrains rig={rig} />
            </li>
          ))}
        </ul>
      )}
    </Asked>
  );
}

function RigTrains({ rig }: { readonly rig: RigItem }): ReactNode {
  const { act, isPending } = useAct();
  const isPaused = rig.stopped_trains.some((one) => one.target === rig.target_branch && one.status === 'paused');
  return (
    <>
      <strong>{rig.id}</strong> {rig.stopped_trains.length === 0 && <StateWord word="running" />}
      {rig.stopped_trains.map((train) => (
        <div key={train.target}>
          <StateWord word={train.status} /> {train.target}: {train.reason ?? 'no reason given'}, by {train.changed_by},{' '}
          <Age at={train.changed_at} />, {train.waiting} wait.{' '}
          {train.status === 'paused' && (
            <button
              type="button"
              className="button"
              disabled={isPending}
              title={`gt mq resume ${rig.id}`}
              onClick={() =>
                act({
                  path: `rigs/${part(rig.id)}/mq/resume`,
                  body: { target: train.target },
                  said: 'The train goes on.',
                })
              }
            >
              Let {train.target} go on
            </button>
          )}
        </div>
      ))}
      {!isPaused && <PauseForm rig={rig} />}
    </>
  );
}

function PauseForm({ rig }: { readonly rig: RigItem }): ReactNode {
  const [reason, setReason] = useState('');
  const { act, isPending } = useAct();
  return (
    <form
      className="mt-1 flex flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        act({
          path: `rigs/${part(rig.id)}/mq/pause`,
          body: { reason },
          said: 'The round under way ends, then it rests.',
        });
        setReason('');
      }}
    >
      <label className="flex min-w-0 flex-1 items-center gap-2">
        Pause {rig.target_branch} because
        <input
          className="min-w-0 flex-1 rounded border border-line bg-ground px-2 py-1"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <button
        type="submit"
        className="button"
        title={`gt mq pause ${rig.id}`}
        disabled={isPending || reason.trim() === ''}
      >
        Pause {rig.id}
      </button>
    </form>
  );
}
