import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import type { BeadDiffItem } from '../../src/api/contract/diff.ts';
import { change, part } from './api.ts';
import { step } from './keys.ts';
import { Asked, Nothing } from './parts.tsx';
import { WriteForm } from './write-form.tsx';

type File = BeadDiffItem['files'][number];
type Line = File['hunks'][number]['lines'][number];
type Comments = Readonly<Record<string, string>>;

type Row =
  | { readonly is: 'file'; readonly file: File }
  | { readonly is: 'note'; readonly text: string }
  | { readonly is: 'hunk'; readonly text: string }
  | { readonly is: 'line'; readonly file: File; readonly line: Line; readonly key: string };

const LINE_PX = 21;
const OVERSCAN = 20;

/** What could mislead who reads: shown by its number. Among it marks that turn the direction of what follows. */
const UNSEEN = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g;
const plain = (text: string): string =>
  text.replace(UNSEEN, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`);

const STATUS: Readonly<Record<string, string>> = {
  A: 'new',
  M: 'changed',
  D: 'deleted',
  R: 'renamed',
  C: 'copied',
  T: 'of another kind',
};

/** A line is known by its place, so that a comment stays where it was made while others come and go. */
const keyOf = (file: File, line: Line): string =>
  JSON.stringify([file.path, line.kind === 'removed' ? 'old' : 'new', line.new ?? line.old]);

function noteOf(file: File, diff: BeadDiffItem): string | null {
  if (file.binary) return 'It is no text, so its content is not shown.';
  const rest = `git diff ${diff.base.slice(0, 12)} ${diff.head.slice(0, 12)}`;
  if (file.shown === 'none') return `Too much was changed before it: it is not shown. The whole: ${rest}`;
  if (file.shown === 'part') return `It is cut here: there is more. The whole: ${rest}`;
  return file.hunks.length === 0 ? 'Its content is as before.' : null;
}

function rowsOf(diff: BeadDiffItem): readonly Row[] {
  return diff.files.flatMap((file): readonly Row[] => {
    const note = noteOf(file, diff);
    const lines = file.hunks.flatMap((hunk): readonly Row[] => [
      { is: 'hunk', text: hunk.header },
      ...hunk.lines.map((line): Row => ({ is: 'line', file, line, key: keyOf(file, line) })),
    ]);
    return [{ is: 'file', file }, ...lines, ...(note === null ? [] : [{ is: 'note', text: note } as const])];
  });
}

/** `version`: of the work; another one is read anew. What the work of a bead changes, and a place for remarks that go back to its agent. */
export function Changes({ id, version }: { readonly id: string; readonly version: string }): ReactNode {
  return (
    <Asked<BeadDiffItem> name={['diff', id, version]} path={`beads/${part(id)}/diff`}>
      {(diff) =>
        diff.files.length === 0 ? (
          <Nothing why="The work changes nothing against where it began." />
        ) : (
          <Review key={diff.head} diff={diff} />
        )
      }
    </Asked>
  );
}

/** Remarks outlive a page that is left by mistake; they belong to this commit. */
function useComments(diff: BeadDiffItem): readonly [Comments, (comments: Comments) => void] {
  const place = `review ${diff.bead} ${diff.head}`;
  const [comments, setComments] = useState<Comments>(() => {
    try {
      return JSON.parse(sessionStorage.getItem(place) ?? '{}') as Comments;
    } catch {
      return {};
    }
  });
  useEffect(() => sessionStorage.setItem(place, JSON.stringify(comments)), [place, comments]);
  return [comments, setComments];
}

function Review({ diff }: { readonly diff: BeadDiffItem }): ReactNode {
  const [comments, setComments] = useComments(diff);
  const added = diff.files.reduce((sum, file) => sum + (file.added ?? 0), 0);
  const removed = diff.files.reduce((sum, file) => sum + (file.removed ?? 0), 0);
  return (
    <>
      <p className="mb-2 text-soft">
        {diff.files.length + diff.more_files} files, {added} lines added, {removed} removed.{' '}
        {diff.more_files > 0 && `${diff.more_files} of the files are not listed. `}
        {diff.of === 'merged' && 'This is what was merged.'}
        {diff.of === 'review' && 'A line’s number opens a remark.'}
        {diff.of === 'attempt' && 'It is not finished: remarks can be made once it is in review.'}
      </p>
      <Lines diff={diff} comments={comments} setComments={diff.of === 'review' ? setComments : null} />
      {diff.of === 'review' && <Send diff={diff} comments={comments} done={() => setComments({})} />}
    </>
  );
}

function Lines(props: {
  readonly diff: BeadDiffItem;
  readonly comments: Comments;
  /** Null: no remarks can be made. */
  readonly setComments: ((comments: Comments) => void) | null;
}): ReactNode {
  const { diff, comments, setComments } = props;
  const all = useMemo(() => rowsOf(diff), [diff]);
  const [open, setOpen] = useState<string | null>(null);
  const holder = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: all.length,
    getScrollElement: () => holder.current,
    estimateSize: () => LINE_PX,
    overscan: OVERSCAN,
  });
  const say = (row: Row, text: string): void => {
    setOpen(null);
    if (row.is !== 'line' || setComments === null) return;
    const { [row.key]: _before, ...others } = comments;
    setComments(text.trim() === '' ? others : { ...others, [row.key]: text });
  };
  const starts = [...all.keys()].filter((index) => all[index]?.is === 'file');
  return (
    <>
      <FilePicker files={diff.files} show={(index) => rows.scrollToIndex(starts[index] ?? 0, { align: 'start' })} />
      <div
        ref={holder}
        role="region"
        aria-label="Changed lines"
        tabIndex={0}
        className="h-[60dvh] overflow-auto rounded border border-line bg-card"
        onKeyDown={(event) => {
          if (event.target instanceof HTMLTextAreaElement || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp'))
            return;
          event.preventDefault();
          step(event.key === 'ArrowDown' ? 1 : -1, holder.current ?? undefined);
        }}
      >
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map((item) => {
            const row = all[item.index];
            return row === undefined ? null : (
              <div
                key={item.key}
                ref={rows.measureElement}
                data-index={item.index}
                className="absolute left-0 w-max min-w-full"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <RowView
                  row={row}
                  comment={row.is === 'line' ? comments[row.key] : undefined}
                  isOpen={row.is === 'line' && row.key === open}
                  openAt={setComments === null ? null : setOpen}
                  say={(text) => say(row, text)}
                />
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}

function FilePicker(props: { readonly files: readonly File[]; readonly show: (index: number) => void }): ReactNode {
  return (
    <label className="mb-2 flex flex-wrap items-center gap-2">
      File
      <select className="button max-w-full" onChange={(event) => props.show(Number(event.target.value))}>
        {props.files.map((file, index) => (
          <option key={file.path} value={index}>
            {plain(file.path)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface RowProps {
  readonly row: Row;
  readonly comment: string | undefined;
  readonly isOpen: boolean;
  readonly openAt: ((key: string | null) => void) | null;
  readonly say: (text: string) => void;
}

function RowView(props: RowProps): ReactNode {
  const { row } = props;
  if (row.is === 'hunk')
    return <p className="bg-ground px-2 font-mono whitespace-pre text-soft">⋯ {plain(row.text)}</p>;
  if (row.is === 'note') return <p className="px-2 py-1 text-soft">{row.text}</p>;
  if (row.is === 'line') return <LineRow {...props} row={row} />;
  const { file } = row;
  return (
    <h3 className="border-y border-line bg-ground px-2 py-1 font-semibold">
      {file.old_path !== null && `${plain(file.old_path)} → `}
      {plain(file.path)}{' '}
      <span className="font-normal text-soft">
        {STATUS[file.status] ?? file.status}
        {file.added !== null && `, ${file.added} added, ${file.removed ?? 0} removed`}
      </span>
    </h3>
  );
}

const LOOK: Readonly<Record<Line['kind'], readonly [sign: string, look: string]>> = {
  same: [' ', ''],
  added: ['+', 'bg-added'],
  removed: ['−', 'bg-removed'],
};

function LineRow(props: RowProps & { readonly row: Extract<Row, { is: 'line' }> }): ReactNode {
  const { line, file, key } = props.row;
  const [sign, look] = LOOK[line.kind];
  const number = line.new ?? line.old ?? 0;
  const label = `Remark on ${line.kind === 'removed' ? 'removed ' : ''}line ${number} of ${plain(file.path)}`;
  return (
    <div data-row data-diff-line={line.kind}>
      <div className={`flex font-mono whitespace-pre ${look}`}>
        {props.openAt === null ? (
          <span className="w-14 shrink-0 pr-2 text-right text-soft select-none">{number}</span>
        ) : (
          <button
            type="button"
            tabIndex={-1}
            aria-label={label}
            className="w-14 shrink-0 cursor-pointer pr-2 text-right text-soft hover:text-accent focus:text-accent"
            onClick={() => props.openAt?.(key)}
          >
            {number}
          </button>
        )}
        {line.kind !== 'same' && <span className="sr-only">{line.kind}: </span>}
        <span aria-hidden="true" className="w-4 shrink-0 select-none">
          {sign}
        </span>
        <span>{plain(line.text)}</span>
      </div>
      {props.isOpen ? (
        <Remark label={label} first={props.comment ?? ''} say={props.say} />
      ) : (
        props.comment !== undefined && (
          <div className="flex max-w-[60rem] items-start gap-2 border-l-4 border-accent bg-ground px-3 py-1">
            <p className="min-w-0 flex-1 break-words whitespace-pre-wrap">{props.comment}</p>
            <button type="button" className="button" onClick={() => props.openAt?.(key)}>
              Edit
            </button>
            <button type="button" className="button" onClick={() => props.say('')}>
              Remove
            </button>
          </div>
        )
      )}
    </div>
  );
}

function Remark(props: {
  readonly label: string;
  readonly first: string;
  readonly say: (text: string) => void;
}): ReactNode {
  const [text, setText] = useState(props.first);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      className="flex max-w-[60rem] flex-col gap-2 border-l-4 border-accent bg-ground px-3 py-2"
      onSubmit={(event) => {
        event.preventDefault();
        props.say(text);
      }}
    >
      <textarea
        ref={field}
        aria-label={props.label}
        className="min-h-16 w-full min-w-60 rounded border border-line bg-card px-2 py-1"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) props.say(text);
          if (event.key === 'Escape') props.say(props.first);
        }}
      />
      <div className="flex gap-2">
        <button type="submit" className="button">
          Keep
        </button>
        <button type="button" className="button" onClick={() => props.say(props.first)}>
          Cancel
        </button>
        <span className="self-center text-soft">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd> keeps it; it is sent with the others.
        </span>
      </div>
    </form>
  );
}

function Send(props: {
  readonly diff: BeadDiffItem;
  readonly comments: Comments;
  readonly done: () => void;
}): ReactNode {
  const { diff, comments } = props;
  const count = Object.keys(comments).length;
  const send = async (comment: string): Promise<string> => {
    const lines = Object.entries(comments).map(([key, text]) => {
      const [path, side, line] = JSON.parse(key) as [string, string, number];
      return { path, side, line, text };
    });
    await change(`beads/${part(diff.bead)}/request-changes`, { head: diff.head, comment, comments: lines });
    props.done();
    return 'It goes back to its agent, on the same branch.';
  };
  return (
    <div className="mt-2">
      <WriteForm
        label="For all of it"
        button={`Request changes${count > 0 ? ` (${String(count)} at lines)` : ''}`}
        command={`gt request-changes ${diff.bead}`}
        mayBeEmpty={count > 0}
        kept="Your remarks are"
        send={send}
      />
    </div>
  );
}
