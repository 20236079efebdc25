import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { read, TownProblem } from './api.ts';
import { useLive } from './live.ts';

type Mood = 'good' | 'wait' | 'bad' | 'plain';

const BAD = new Set([
  'failed',
  'needs_human',
  'stuck',
  'dead',
  'down',
  'critical',
  'high',
  'breaker_open',
  'refused',
  'crashed',
  'lost',
]);
const WAITING = new Set([
  'held',
  'blocked',
  'backoff',
  'parked',
  'draining',
  'stalled',
  'unknown',
  'paused',
  'medium',
  'reworking',
  'staged',
  'acknowledged',
  'waiting',
]);
const GOOD = new Set([
  'closed',
  'merged',
  'landed',
  'up',
  'working',
  'running',
  'live',
  'healthy',
  'done',
  'ready',
  'ok',
  'Live',
  'resolved',
]);
const GLYPH: Readonly<Record<Mood, string>> = { good: '●', wait: '◐', bad: '▲', plain: '○' };
const COLOUR: Readonly<Record<Mood, string>> = {
  good: 'text-good',
  wait: 'text-wait',
  bad: 'text-bad',
  plain: 'text-soft',
};

function moodOf(word: string): Mood {
  if (BAD.has(word)) return 'bad';
  if (WAITING.has(word)) return 'wait';
  return GOOD.has(word) ? 'good' : 'plain';
}

/** A state as glyph, word and colour: each says it alone. */
export function StateWord({ word }: { readonly word: string }): ReactNode {
  const mood = moodOf(word);
  return (
    <span className={`whitespace-nowrap font-medium ${COLOUR[mood]}`}>
      <span aria-hidden="true">{GLYPH[mood]} </span>
      {word.replaceAll('_', ' ')}
    </span>
  );
}

const SECOND = 1_000;
const STEPS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400 * SECOND, 'd'],
  [3_600 * SECOND, 'h'],
  [60 * SECOND, 'min'],
  [SECOND, 's'],
];

export function span(ms: number): string {
  for (const [size, unit] of STEPS) if (ms >= size) return `${Math.floor(ms / size)} ${unit}`;
  return '0 s';
}

/** Ages tick by themselves, all by one clock. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), SECOND);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function Age({ at }: { readonly at: number | null }): ReactNode {
  const now = useNow();
  if (at === null) return <span className="text-soft">time not recorded</span>;
  return <time dateTime={new Date(at).toISOString()}>{span(Math.max(0, now - at))} ago</time>;
}

/** What is asked of the town: being read, not readable, or there. A failed read is never an empty list. */
export function Asked<T>(props: {
  readonly name: readonly string[];
  readonly path: string;
  readonly children: (data: T) => ReactNode;
}): ReactNode {
  const { data, error, refetch, dataUpdatedAt, isFetching } = useQuery({
    queryKey: props.name,
    queryFn: () => read<T>(props.path),
  });
  if (data === undefined && error === null) return <p className="text-soft">Reading …</p>;
  return (
    <>
      {error !== null && (
        <Failed
          error={error}
          isFetching={isFetching}
          retry={() => void refetch()}
          asOf={data === undefined ? null : dataUpdatedAt}
        />
      )}
      {data !== undefined && props.children(data)}
    </>
  );
}

function Failed(props: { error: Error; isFetching: boolean; retry: () => void; asOf: number | null }): ReactNode {
  const { error } = props;
  const isMissing = error instanceof TownProblem && error.status === 404;
  return (
    <div role="alert" className="card mb-2 border-bad">
      <strong className="text-bad">{isMissing ? 'Not found.' : 'Unavailable.'}</strong> {error.message}{' '}
      {error instanceof TownProblem && <span className="text-soft">{error.next}</span>}
      {props.asOf !== null && <p>What is shown is as of {clock(props.asOf)}.</p>}
      <div className="mt-2">
        <button type="button" className="button" onClick={props.retry} disabled={props.isFetching}>
          Try again
        </button>
      </div>
    </div>
  );
}

export const clock = (at: number): string => new Date(at).toTimeString().slice(0, 8);

/** Says that what is on the screen may be old, and since when. */
export function StaleNote(): ReactNode {
  const live = useLive();
  if (live.word === 'Live' || live.word === 'Connecting') return null;
  if (live.word === 'Signed out')
    return (
      <p role="alert" className="card mb-3 border-bad">
        You are signed out. Make a link in the town: <code>gt dashboard</code>
      </p>
    );
  return (
    <p role="status" className="card mb-3 border-wait">
      <StateWord word={live.word} />: what you see is as of {clock(live.asOf)}.
    </p>
  );
}

export function Screen(props: {
  readonly title: string;
  readonly children: ReactNode;
  readonly side?: ReactNode;
}): ReactNode {
  useEffect(() => {
    document.title = `${props.title} · Gas Town`;
  }, [props.title]);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-baseline justify-between gap-2">
        <h1 className="text-xl font-semibold">{props.title}</h1>
        {props.side}
      </div>
      {props.children}
    </>
  );
}

/** The first row of a table: what its columns hold. */
export function Head({ names }: { readonly names: readonly string[] }): ReactNode {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** An empty list says why, and the next command to type. */
export function Nothing(props: { readonly why: ReactNode; readonly command?: string }): ReactNode {
  return (
    <p className="card text-soft">
      {props.why}
      {props.command !== undefined && (
        <>
          {' '}
          <code className="text-ink">{props.command}</code>
        </>
      )}
    </p>
  );
}

export function Facts({ of }: { readonly of: readonly (readonly [name: string, value: ReactNode])[] }): ReactNode {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
      {of.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="min-w-0 break-words">{value ?? '—'}</dd>
        </div>
      ))}
    </dl>
  );
}
