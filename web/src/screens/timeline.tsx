import { useQueryClient } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import type { FeedItem, JournalItem } from '../../../src/api/contract/town.ts';
import { useAddress } from '../address.ts';
import { read } from '../api.ts';
import { Ref } from '../links.tsx';
import { onDeltas, withNews } from '../live.ts';
import { Asked, clock, Head, Nothing, Screen, StateWord } from '../parts.tsx';

const ROW_PX = 54;
const OVERSCAN = 12;
/** The first page, and what "Older" takes: as much as the town gives at once. */
const PAGE = 500;
const OLDER = 2_000;
/** Things whose state at a moment is listed; a town has more, and the filter finds them. */
const STATES_MAX = 200;

/** What happened, by which rule and why: the newest first, as it happens, or as it was at a moment. */
export function Timeline(): ReactNode {
  const [filter, setFilter] = useAddress('q');
  return (
    <Screen
      title="Timeline"
      side={
        <label className="flex items-center gap-2 text-soft">
          Only with
          <input
            className="rounded border border-line bg-card px-2 py-1 text-ink"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
            placeholder="bead, rule, word"
          />
        </label>
      }
    >
      <Asked<FeedItem> name={['feed']} path={`feed?tail=${PAGE}`}>
        {(page) => <Entries first={page.items} filter={filter} />}
      </Asked>
    </Screen>
  );
}

const textOf = (item: JournalItem): string =>
  `${item.actor} ${item.entity} ${item.action} ${item.rule} ${item.reason} ${item.from ?? ''} ${item.to ?? ''}`;

/** Entries with this, oldest first, and those that come, as they come. */
function useEntries(first: readonly JournalItem[], filter: string): readonly JournalItem[] {
  const [items, setItems] = useState(first);
  useEffect(() => {
    setItems((known) => withNews(first, known));
    return onDeltas((news) => setItems((known) => withNews(known, news)));
  }, [first]);
  return useMemo(() => items.filter((item) => textOf(item).includes(filter)), [items, filter]);
}

const placeOf = (item: JournalItem): string => `${item.actor}:${item.seq}`;

function Entries({ first, filter }: { readonly first: readonly JournalItem[]; readonly filter: string }): ReactNode {
  const some = useEntries(first, filter);
  const [at, setAt] = useAddress('at');
  if (some.length === 0)
    return (
      <Nothing
        why={filter === '' ? 'Nothing has happened in this town yet.' : 'Nothing of the newest entries has that.'}
      />
    );
  const found = at === '' ? -1 : some.findIndex((item) => placeOf(item) === at);
  const until = found < 0 ? some.length - 1 : found;
  const then = some[until];
  return (
    <>
      <Scrub
        count={some.length}
        until={until}
        isNow={found < 0}
        moment={then?.at ?? 0}
        goTo={(index) => {
          const item = some[index];
          setAt(item === undefined || index >= some.length - 1 ? '' : placeOf(item));
        }}
      />
      {at !== '' && found < 0 && (
        <p role="status" className="mb-2 text-wait">
          That moment is not among the entries that are here; take older ones, or another filter.
        </p>
      )}
      {found >= 0 && <StatesThen entries={some.slice(0, until + 1)} />}
      <List entries={some.slice(0, until + 1).toReversed()} />
    </>
  );
}

/** Goes back through what happened, entry by entry; the address keeps the moment. */
function Scrub(props: {
  readonly count: number;
  readonly until: number;
  readonly isNow: boolean;
  readonly moment: number;
  readonly goTo: (index: number) => void;
}): ReactNode {
  const { until, goTo } = props;
  const queries = useQueryClient();
  const [isReading, setIsReading] = useState(false);
  const older = async (): Promise<void> => {
    setIsReading(true);
    try {
      queries.setQueryData(['feed'], await read<FeedItem>(`feed?tail=${OLDER}`));
    } finally {
      setIsReading(false);
    }
  };
  return (
    <div className="mb-2 flex flex-wrap items-center gap-2" role="group" aria-label="Replay">
      <button type="button" className="button" disabled={until === 0} onClick={() => goTo(until - 1)}>
        Step back
      </button>
      <input
        type="range"
        aria-label="Moment"
        aria-valuetext={`entry ${until + 1} of ${props.count}, ${clock(props.moment)}`}
        className="min-w-40 flex-1"
        min={0}
        max={props.count - 1}
        value={until}
        onChange={(event) => goTo(Number(event.target.value))}
      />
      <button type="button" className="button" disabled={props.isNow} onClick={() => goTo(until + 1)}>
        Step on
      </button>
      <button type="button" className="button" disabled={props.isNow} onClick={() => goTo(props.count)}>
        Now
      </button>
      <button type="button" className="button" disabled={isReading} onClick={() => void older()}>
        Older
      </button>
      <span className="text-soft" data-testid="moment">
        {props.isNow ? 'As it happens.' : `As it was at ${new Date(props.moment).toISOString()}.`}
      </span>
    </div>
  );
}

/** What each thing was at that moment: the last state that the entries before it name. */
function StatesThen({ entries }: { readonly entries: readonly JournalItem[] }): ReactNode {
  const last = new Map<string, JournalItem>();
  for (const item of entries) {
    if (item.to === null) continue;
    last.delete(item.entity);
    last.set(item.entity, item);
  }
  const states = [...last.values()].toReversed().slice(0, STATES_MAX);
  return (
    <section aria-label="State then" className="mb-2">
      <h2 className="mb-1 font-semibold">State then</h2>
      <p className="text-soft">
        By the entries up to that moment; what changed before the first of them, and not since, is not in it.
      </p>
      <div className="max-h-[30dvh] overflow-auto" tabIndex={0} role="region" aria-label="States">
        <table className="table">
          <Head names={['What', 'Was', 'Since', 'By']} />
          <tbody>
            {states.map((item) => (
              <tr key={item.entity} data-state-of={item.entity}>
                <td>
                  <Entity of={item.entity} />
                </td>
                <td>
                  <StateWord word={item.to ?? ''} />
                </td>
                <td>{clock(item.at)}</td>
                <td>
                  <code>{item.rule}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function List({ entries }: { readonly entries: readonly JournalItem[] }): ReactNode {
  const holder = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => holder.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  });
  return (
    <div
      ref={holder}
      className="h-[66dvh] overflow-auto rounded border border-line bg-card"
      tabIndex={0}
      role="region"
      aria-label="Entries"
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((row) => {
          const item = entries[row.index];
          if (item === undefined) return null;
          return (
            <div
              key={placeOf(item)}
              data-entry
              className="absolute left-0 w-full overflow-hidden border-b border-line px-2 py-1"
              style={{ transform: `translateY(${row.start}px)`, height: ROW_PX }}
            >
              <p className="truncate">
                <span className="text-soft">{clock(item.at)}</span> <Entity of={item.entity} />{' '}
                {item.action.replaceAll('_', ' ')}{' '}
                {item.from === null && item.to === null ? '' : `${item.from ?? '—'} → ${item.to ?? '—'}`}
              </p>
              <p className="truncate text-soft">
                <code>{item.rule}</code> {item.reason}
              </p>
            </div>
          );
        })}
      </div>
    </div>
  );
}

const Entity = ({ of }: { readonly of: string }): ReactNode => <Ref id={of.slice(of.indexOf(':') + 1)} />;
