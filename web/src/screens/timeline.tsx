import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { FeedItem, JournalItem } from '../../../src/api/contract/town.ts';
import { Ref } from '../links.tsx';
import { onDeltas, withNews } from '../live.ts';
import { Asked, clock, Nothing, Screen } from '../parts.tsx';

const ROW_PX = 54;
const OVERSCAN = 12;

/** What happened, by which rule and why: the newest first, as it happens. */
export function Timeline(): ReactNode {
  const [filter, setFilter] = useState('');
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
      <Asked<FeedItem> name={['feed']} path="feed?tail=500">
        {(page) => <Entries first={page.items} filter={filter} />}
      </Asked>
    </Screen>
  );
}

const textOf = (item: JournalItem): string =>
  `${item.actor} ${item.entity} ${item.action} ${item.rule} ${item.reason} ${item.from ?? ''} ${item.to ?? ''}`;

function Entries({ first, filter }: { readonly first: readonly JournalItem[]; readonly filter: string }): ReactNode {
  const [items, setItems] = useState(first);
  useEffect(() => {
    setItems((known) => withNews(first, known));
    return onDeltas((news) => setItems((known) => withNews(known, news)));
  }, [first]);
  const some = items.filter((item) => textOf(item).includes(filter)).toReversed();
  const holder = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: some.length,
    getScrollElement: () => holder.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
  });
  if (some.length === 0)
    return (
      <Nothing
        why={filter === '' ? 'Nothing has happened in this town yet.' : 'Nothing of the newest entries has that.'}
      />
    );
  return (
    <div
      ref={holder}
      className="h-[72dvh] overflow-auto rounded border border-line bg-card"
      tabIndex={0}
      role="region"
      aria-label="Entries"
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((row) => {
          const item = some[row.index];
          if (item === undefined) return null;
          return (
            <div
              key={`${item.actor}:${item.seq}`}
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
