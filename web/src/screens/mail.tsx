import { useQueryClient } from '@tanstack/react-query';
import { useEffect, type ReactNode } from 'react';
import type { MailItem, SentMailItem } from '../../../src/api/contract/talk.ts';
import { useAddress } from '../address.ts';
import { change, part } from '../api.ts';
import { Age, Asked, Nothing, Screen, StateWord } from '../parts.tsx';
import { WriteForm } from '../write-form.tsx';

/** The mailbox that people share. */
const PEOPLE = 'human/';
const SHOWN_MAX = 500;

interface Page {
  readonly items: readonly MailItem[];
}

interface Thread {
  /** Id of its first mail that is here. */
  readonly id: string;
  /** The other side. */
  readonly with: string;
  /** Oldest first. */
  readonly mails: readonly MailItem[];
}

/** Mails that answer each other, newest thread first. */
function threadsOf(mails: readonly MailItem[]): readonly Thread[] {
  const byId = new Map(mails.map((mail) => [mail.id, mail]));
  const rootOf = (mail: MailItem): MailItem => {
    const seen = new Set<string>();
    let at = mail;
    while (at.reply_to !== null && !seen.has(at.id)) {
      seen.add(at.id);
      const before = byId.get(at.reply_to);
      if (before === undefined) break;
      at = before;
    }
    return at;
  };
  const groups = Map.groupBy([...byId.values()], (mail) => rootOf(mail).id);
  return [...groups]
    .map(([id, all]) => {
      const sorted = all.toSorted((a, b) => a.created_at - b.created_at);
      const other = sorted.find((mail) => !mail.from.startsWith(PEOPLE));
      return { id, with: other?.from ?? sorted[0]?.to ?? '', mails: sorted };
    })
    .toSorted((a, b) => newest(b) - newest(a));
}

const newest = (thread: Thread): number => thread.mails.at(-1)?.created_at ?? 0;

/** What agents write to people, and what was answered. */
export function Mail(): ReactNode {
  const [open, setOpen] = useAddress('thread');
  return (
    <Screen title="Mail">
      <Asked<Page> name={['mail']} path={`mail?all=true&limit=${SHOWN_MAX}`}>
        {({ items }) => {
          const threads = threadsOf(items);
          if (threads.length === 0)
            return <Nothing why="Nobody has written to people yet. Write to an agent with" command="gt mail send" />;
          return (
            <>
              {items.length === SHOWN_MAX && <p className="text-soft">The newest {SHOWN_MAX} mails.</p>}
              <ul className="flex flex-col gap-2">
                {threads.map((thread) => (
                  <ThreadRow key={thread.id} thread={thread} isOpen={thread.id === open} setOpen={setOpen} />
                ))}
              </ul>
            </>
          );
        }}
      </Asked>
    </Screen>
  );
}

function ThreadRow(props: {
  readonly thread: Thread;
  readonly isOpen: boolean;
  readonly setOpen: (id: string) => void;
}): ReactNode {
  const { thread, isOpen } = props;
  const unread = thread.mails.filter((mail) => mail.status === 'unread').length;
  return (
    <li className="card" data-row data-subject={thread.id}>
      <button
        type="button"
        className="w-full cursor-pointer text-left"
        aria-expanded={isOpen}
        onClick={() => props.setOpen(isOpen ? '' : thread.id)}
      >
        <span className="flex flex-wrap items-baseline justify-between gap-x-3">
          <strong className="min-w-0 break-words">{thread.mails[0]?.subject}</strong>
          <span className="text-soft">
            <Age at={newest(thread)} />
          </span>
        </span>
        <span className="text-soft">
          with {thread.with}, {thread.mails.length === 1 ? '1 mail' : `${thread.mails.length} mails`}
          {unread > 0 && <StateWord word="waiting" />}
          {unread > 0 && ` ${unread} unread`}
        </span>
      </button>
      {isOpen && <Open thread={thread} />}
    </li>
  );
}

function Open({ thread }: { readonly thread: Thread }): ReactNode {
  const queries = useQueryClient();
  const unread = thread.mails.filter((mail) => mail.status === 'unread').map((mail) => mail.id);
  useEffect(() => {
    if (unread.length === 0) return;
    // Who may not change anything reads all the same.
    void Promise.allSettled(unread.map((id) => change(`mail/${part(id)}/read`))).then(() =>
      queries.invalidateQueries({ queryKey: ['mail'] }),
    );
  }, [unread.join()]);
  return (
    <div className="mt-2 flex flex-col gap-2">
      <Asked<Page> name={['mail', thread.with]} path={`mail?address=${part(thread.with)}&all=true&limit=${SHOWN_MAX}`}>
        {({ items }) => <Mails mails={whole(thread, items)} />}
      </Asked>
      <Reply thread={thread} />
    </div>
  );
}

/** With what people answered, which lies in the other mailbox. */
function whole(thread: Thread, others: readonly MailItem[]): readonly MailItem[] {
  const mine = new Set(thread.mails.map((mail) => mail.id));
  const all = threadsOf([...thread.mails, ...others]).find((one) => one.mails.some((mail) => mine.has(mail.id)));
  return all?.mails ?? thread.mails;
}

function Mails({ mails }: { readonly mails: readonly MailItem[] }): ReactNode {
  return (
    <ol className="flex flex-col gap-2">
      {mails.map((mail) => (
        <li key={mail.id} className="rounded border border-line p-2" data-mail>
          <p className="text-soft">
            {mail.from} → {mail.to}, {mail.kind.replaceAll('_', ' ')}, <Age at={mail.created_at} />
          </p>
          <p className="font-semibold break-words">{mail.subject}</p>
          {mail.body !== '' && <p className="break-words whitespace-pre-wrap">{mail.body}</p>}
        </li>
      ))}
    </ol>
  );
}

function Reply({ thread }: { readonly thread: Thread }): ReactNode {
  const queries = useQueryClient();
  const last = thread.mails.at(-1);
  const send = async (text: string): Promise<string> => {
    const subject = last?.subject ?? '';
    const sent = await change<SentMailItem>('mail', {
      to: thread.with,
      subject: subject.startsWith('Re: ') ? subject : `Re: ${subject}`.slice(0, 200),
      body: text,
      ...(last === undefined ? {} : { reply_to: last.id }),
    });
    await queries.invalidateQueries({ queryKey: ['mail'] });
    return sent.answer;
  };
  return <WriteForm label="Answer" button="Send" kept="What you wrote is" send={send} />;
}
