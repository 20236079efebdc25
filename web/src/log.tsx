import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { toast } from 'sonner';
import { part, streamUrl } from './api.ts';
import type { OutputPart } from './frames.ts';

/** Control sequences of terminals, and all that is not text: shown, they could only mislead. */
const CONTROL =
  /\u001B(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001B\n]*(?:\u0007|\u001B\\)|[@-_])|[\u0000-\u0008\u000B-\u001F\u007F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
/** The beginning of a sequence whose end is not there yet. */
const UNFINISHED = /\u001B(?:\[[0-9;?]*[ -/]*|\][^\u0007\u001B\n]*\u001B?)?$/;
/** What is longer than any sequence is none. */
const UNFINISHED_MAX = 256;
/** An output that was refused is asked for again after this long. */
const AGAIN_MS = 3_000;
const LINE_PX = 20;
const OVERSCAN = 20;
/** Output comes in pieces of any size; the screen follows at this pace. */
const PAINT_MS = 60;
const NEAR_END_PX = 40;

interface Output {
  readonly lines: readonly string[];
  readonly state: 'reading' | 'ended' | 'broken';
}

/** Reads until it has ended. A browser gives an answer that is no stream up for good, so that is asked for again here. */
function readOutput(
  attempt: string,
  tell: { readonly part: (text: string) => void; readonly state: (state: Output['state']) => void },
): () => void {
  let from = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let source: EventSource;
  const open = (): void => {
    source = new EventSource(streamUrl(`agents/${part(attempt)}/output?from=${from}`));
    source.addEventListener('output', (event) => {
      const { text, next } = JSON.parse(String(event.data)) as OutputPart;
      from = next;
      tell.part(text);
    });
    source.addEventListener('end', () => {
      source.close();
      tell.state('ended');
    });
    source.addEventListener('error', () => {
      tell.state('broken');
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
  };
  open();
  return () => {
    source.close();
    if (timer !== null) clearTimeout(timer);
  };
}

/** Output of an attempt, from its beginning, for as long as somebody looks. */
function useOutput(attempt: string): Output {
  const [output, setOutput] = useState<Output>({ lines: [''], state: 'reading' });
  useEffect(() => {
    const lines = [''];
    let timer: ReturnType<typeof setTimeout> | null = null;
    let state: Output['state'] = 'reading';
    const paint = (): void => {
      timer ??= setTimeout(() => {
        timer = null;
        setOutput({ lines: [...lines], state });
      }, PAINT_MS);
    };
    let held = '';
    const take = (text: string): void => {
      const all = held + text;
      const cut = UNFINISHED.exec(all)?.index ?? all.length;
      held = all.length - cut > UNFINISHED_MAX ? '' : all.slice(cut);
      const [first = '', ...rest] = all
        .slice(0, all.length - held.length)
        .replaceAll(CONTROL, '')
        .split('\n');
      lines[lines.length - 1] += first;
      for (const line of rest) lines.push(line);
    };
    const end = readOutput(attempt, {
      part: (text) => {
        take(text);
        state = 'reading';
        paint();
      },
      state: (now) => {
        state = now;
        paint();
      },
    });
    return () => {
      end();
      if (timer !== null) clearTimeout(timer);
    };
  }, [attempt]);
  return output;
}

const WORDS: Readonly<Record<Output['state'], string>> = {
  reading: 'It is read as it comes.',
  ended: 'It has ended; this is all.',
  broken: 'It can not be read now; this browser tries again by itself.',
};

export function LogView({ attempt }: { readonly attempt: string }): ReactNode {
  const { lines, state } = useOutput(attempt);
  const holder = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => holder.current,
    estimateSize: () => LINE_PX,
    overscan: OVERSCAN,
  });
  useEffect(() => {
    if (isAtEnd) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [lines.length, isAtEnd]);
  return (
    <section aria-label="Output">
      <Bar
        lines={lines}
        words={WORDS[state]}
        isAtEnd={isAtEnd}
        toEnd={() => setIsAtEnd(true)}
        show={(index) => {
          setIsAtEnd(false);
          rows.scrollToIndex(index, { align: 'start' });
        }}
        from={() => rows.range?.startIndex ?? 0}
      />
      <div
        ref={holder}
        role="log"
        aria-live="off"
        aria-label="Output of the attempt"
        tabIndex={0}
        className="h-[55dvh] overflow-auto rounded border border-line bg-card p-2"
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          setIsAtEnd(scrollHeight - scrollTop - clientHeight < NEAR_END_PX);
        }}
      >
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map((row) => (
            <div
              key={row.key}
              data-line
              className="absolute left-0 font-mono whitespace-pre"
              style={{ transform: `translateY(${row.start}px)`, height: LINE_PX }}
            >
              {lines[row.index]}
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

interface BarProps {
  readonly lines: readonly string[];
  readonly words: string;
  readonly isAtEnd: boolean;
  readonly toEnd: () => void;
  readonly show: (index: number) => void;
  /** The line that is at the top now. */
  readonly from: () => number;
}

function Bar({ lines, words, isAtEnd, toEnd, show, from }: BarProps): ReactNode {
  const [search, setSearch] = useState('');
  const find = (): void => {
    const order = [...lines.keys()].map((index) => (from() + 1 + index) % lines.length);
    const hit = search === '' ? undefined : order.find((index) => lines[index]?.includes(search) === true);
    if (hit === undefined) toast.error('No line has that.');
    else show(hit);
  };
  return (
    <form
      className="mb-2 flex flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        find();
      }}
    >
      <label className="flex items-center gap-2">
        Find
        <input
          className="rounded border border-line bg-ground px-2 py-1"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </label>
      <button type="submit" className="button">
        Next
      </button>
      <button type="button" className="button" onClick={() => void copy(lines)}>
        Copy all
      </button>
      {!isAtEnd && (
        <button type="button" className="button" onClick={toEnd}>
          To the end
        </button>
      )}
      <span className="text-soft">
        {lines.length} lines. {words}
      </span>
    </form>
  );
}

async function copy(lines: readonly string[]): Promise<void> {
  try {
    await navigator.clipboard.writeText(lines.join('\n'));
    toast.success('Copied.');
  } catch {
    toast.error('The browser does not let this page copy.');
  }
}
