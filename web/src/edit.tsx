import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';
import { toast } from 'sonner';
import type { BeadDetailItem } from '../../src/api/contract/beads.ts';
import { change, part, readVersion, TownProblem } from './api.ts';

const FIELDS = ['title', 'body', 'priority'] as const;
type Field = (typeof FIELDS)[number];
type Text = Readonly<Record<Field, string>>;

const NAMES: Readonly<Record<Field, string>> = { title: 'Title', body: 'Text', priority: 'Priority' };
const PRIORITIES = ['critical', 'high', 'medium', 'low'];
/** A bead that works changes its version without anybody having edited it: then the same edit is sent for the new one. */
const TRIES_MAX = 5;

interface Version {
  readonly text: Text;
  readonly etag: string;
}

const pick = ({ title, body, priority }: BeadDetailItem): Text => ({ title, body, priority });

/** What was touched of it here. */
const editsOf = (before: Text, mine: Text): Partial<Text> =>
  Object.fromEntries(differing(before, mine).map((field) => [field, mine[field]]));

/** What of one differs from the other. */
const differing = (a: Text, b: Text): readonly Field[] => FIELDS.filter((field) => a[field] !== b[field]);

/** Sends what was changed for the version that it was written on. Answers what it is by now, where somebody else edited it. */
async function saveEdits(path: string, on: Version, edits: Partial<Text>): Promise<Version | null> {
  let { etag } = on;
  for (let tried = 0; tried < TRIES_MAX; tried += 1) {
    try {
      await change(`${path}/update`, edits, etag);
      return null;
    } catch (error) {
      if (!(error instanceof TownProblem && error.status === 412)) throw error;
    }
    const now = await readVersion<BeadDetailItem>(path);
    const text = pick(now.data);
    if (differing(on.text, text).length > 0) return { text, etag: now.etag };
    etag = now.etag;
  }
  throw new Error('It changes all the time; try again in a moment. What you wrote is still here.');
}

/** Title, text and priority. Who is second sees what changed meanwhile, and loses nothing of what they wrote. */
export function Edit({ bead }: { readonly bead: BeadDetailItem }): ReactNode {
  const [base, setBase] = useState<Version | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && base === null) button.current?.focus();
    wasOpen.current = base !== null;
  }, [base]);
  const isOver = bead.status === 'closed' || bead.status === 'failed';
  if (base === null)
    return isOver ? null : (
      <button
        ref={button}
        type="button"
        className="button mt-2"
        data-key="e"
        title={`gt bead update ${bead.id}`}
        onClick={() => setBase({ text: pick(bead), etag: `"${bead.version}"` })}
      >
        Edit <kbd>e</kbd>
      </button>
    );
  return <Form path={`beads/${part(bead.id)}`} opened={base} now={pick(bead)} close={() => setBase(null)} />;
}

interface FormProps {
  readonly path: string;
  readonly opened: Version;
  /** As the stream says it. */
  readonly now: Text;
  readonly close: () => void;
}

/** What is written, and what becomes of it. */
function useEditing(props: FormProps) {
  const queries = useQueryClient();
  const [base, setBase] = useState(props.opened);
  const [mine, setMine] = useState<Text>(props.opened.text);
  const [theirs, setTheirs] = useState<Version | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const [isSaving, setIsSaving] = useState(false);
  const send = async (on: Version, edits: Partial<Text>): Promise<void> => {
    setIsSaving(true);
    setSaid(null);
    try {
      const other = await saveEdits(props.path, on, edits);
      setTheirs(other);
      if (other !== null) return;
      toast.success('It is changed.');
      props.close();
      await queries.invalidateQueries({ queryKey: ['bead'] });
    } catch (error) {
      const next = error instanceof TownProblem ? ` ${error.next}` : '';
      setSaid(`${error instanceof Error ? error.message : String(error)}${next}`);
    } finally {
      setIsSaving(false);
    }
  };
  // Of the fields that were not touched here, what the others wrote holds.
  const onTop = (other: Version): void => {
    const edits = editsOf(base.text, mine);
    setBase(other);
    setMine({ ...other.text, ...edits });
    void send(other, edits);
  };
  return { base, mine, setMine, theirs, said, isSaving, onTop, save: () => void send(base, editsOf(base.text, mine)) };
}

function Form(props: FormProps): ReactNode {
  const { base, mine, setMine, theirs, said, isSaving, onTop, save } = useEditing(props);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const changed = differing(base.text, theirs?.text ?? props.now);
  return (
    <form
      className="card mt-2 flex flex-col gap-2"
      aria-label="Edit"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <Fields first={first} text={mine} change={setMine} />
      {theirs === null && changed.length > 0 && (
        <p role="status" className="text-wait">
          Somebody changed {changed.map((field) => NAMES[field].toLowerCase()).join(' and ')} since you began; you will
          see it before anything is overwritten.
        </p>
      )}
      {said !== null && (
        <p role="alert" className="text-bad">
          {said} What you wrote is still here.
        </p>
      )}
      {theirs === null ? (
        <div className="flex gap-2">
          <button type="submit" className="button" disabled={isSaving || differing(base.text, mine).length === 0}>
            Save
          </button>
          <button type="button" className="button" onClick={props.close}>
            Cancel
          </button>
        </div>
      ) : (
        <Meanwhile before={base.text} theirs={theirs.text} mine={mine}>
          <button type="button" className="button" disabled={isSaving} onClick={() => onTop(theirs)}>
            Apply mine on top
          </button>
          <button type="button" className="button" onClick={props.close}>
            Discard mine
          </button>
        </Meanwhile>
      )}
    </form>
  );
}

function Fields(props: {
  readonly first: RefObject<HTMLInputElement | null>;
  readonly text: Text;
  readonly change: (text: Text) => void;
}): ReactNode {
  const { text } = props;
  return (
    <>
      <label className="flex flex-col">
        {NAMES.title}
        <input
          ref={props.first}
          className="rounded border border-line bg-ground px-2 py-1"
          value={text.title}
          onChange={(event) => props.change({ ...text, title: event.target.value })}
        />
      </label>
      <label className="flex flex-col">
        {NAMES.body}
        <textarea
          className="min-h-40 rounded border border-line bg-ground px-2 py-1 font-mono"
          value={text.body}
          onChange={(event) => props.change({ ...text, body: event.target.value })}
        />
      </label>
      <label className="flex items-center gap-2">
        {NAMES.priority}
        <select
          className="button"
          value={text.priority}
          onChange={(event) => props.change({ ...text, priority: event.target.value })}
        >
          {PRIORITIES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    </>
  );
}

function Meanwhile(props: {
  readonly before: Text;
  readonly theirs: Text;
  readonly mine: Text;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <section role="alert" aria-label="Changed meanwhile" className="rounded border border-wait p-2">
      <p className="font-semibold">
        Somebody changed it while you wrote. Nothing of yours is lost, nothing is sent yet.
      </p>
      {differing(props.before, props.theirs).map((field) => (
        <div key={field} className="my-2">
          <h3>{NAMES[field]}</h3>
          <dl className="grid grid-cols-[auto_1fr] gap-x-4">
            {(
              [
                ['Before', props.before],
                ['Theirs', props.theirs],
                ['Yours', props.mine],
              ] as const
            ).map(([name, text]) => (
              <div key={name} className="contents">
                <dt className="text-soft">{name}</dt>
                <dd className="max-h-40 min-w-0 overflow-auto break-words whitespace-pre-wrap">{text[field]}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
      <div className="flex gap-2">{props.children}</div>
    </section>
  );
}
