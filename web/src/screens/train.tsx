import type { ReactNode } from 'react';
import type { QueueItem } from '../../../src/api/contract/beads.ts';
import { Ref } from '../links.tsx';
import { Pauses } from '../pause.tsx';
import { Age, Asked, Facts, Nothing, Screen, StateWord } from '../parts.tsx';

/** The merge trains: who is next, what the gates say, why it waits. */
export function Train(): ReactNode {
  return (
    <Screen title="Train">
      <Pauses />
      <Asked<{ items: readonly QueueItem[] }> name={['mq']} path="mq">
        {({ items }) => {
          if (items.length === 0)
            return <Nothing why="Nothing waits to be merged. What was merged is on" command="gt feed" />;
          const trains = Map.groupBy(items, (item) => `${item.rig} → ${item.target_branch}`);
          return [...trains].map(([name, entries]) => (
            <section key={name} className="mb-4" aria-label={name}>
              <h2 className="mb-1 font-semibold">{name}</h2>
              <ol className="flex flex-col gap-2">
                {entries
                  .toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0))
                  .map((entry) => (
                    <Entry key={entry.id} entry={entry} />
                  ))}
              </ol>
            </section>
          ));
        }}
      </Asked>
    </Screen>
  );
}

function PullLink({ of }: { readonly of: NonNullable<QueueItem['pull_request']> }): ReactNode {
  return (
    <a className="underline" href={of.url} rel="noreferrer" target="_blank">
      #{of.number} {of.state}, checks {of.checks}
    </a>
  );
}

function Entry({ entry }: { readonly entry: QueueItem }): ReactNode {
  return (
    <li className="card" data-row data-subject={entry.id}>
      <p>
        <strong>{entry.place === null ? 'Not in line' : `Place ${entry.place}`}</strong> <StateWord word={entry.step} />{' '}
        <Ref id={entry.source_bead_id} /> {entry.title}
      </p>
      <p className="my-1">{entry.why.sentence}</p>
      <Facts
        of={[
          ['In line', <Age key="age" at={entry.queued_at} />],
          ['Branch', <code key="branch">{entry.branch}</code>],
          ['Commit', <code key="head">{entry.head_sha.slice(0, 10)}</code>],
          ['Rounds', entry.rounds],
          ['Lost races', entry.races],
          ['Held because', entry.held_reason],
          ['Pull request', entry.pull_request === null ? null : <PullLink key="pull" of={entry.pull_request} />],
        ]}
      />
      {entry.gate_log !== null && (
        <pre className="mt-2 max-h-64 overflow-auto whitespace-pre-wrap" tabIndex={0} aria-label="Output of the gates">
          {entry.gate_log}
        </pre>
      )}
    </li>
  );
}
