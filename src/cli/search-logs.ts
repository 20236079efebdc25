/** Searching the output of a whole town: page by page, newest attempt first. */
import type { SearchPage } from '../api/contract/search.ts';
import { usage } from '../core/errors.ts';
import { counted } from '../core/text.ts';
import type { Arguments } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { paint, plain } from './output.ts';
import { sinceOf } from './since.ts';
import { query, type TownClient } from './town-client.ts';

/** What looks like a regular expression; a file name or a call is none. */
const PATTERN = /\\[dswbDSWB]|[.\w\])][*+?](?![\w/])|\[[^\]]+\]|^\^|\$$/;
const LINES_MAX = 100_000;

/** Errors: `bad_pattern`, those of the API. */
export async function searchTown(context: Context, client: TownClient, args: Arguments): Promise<number> {
  const text = args.text('grep') ?? '';
  if (text.replaceAll('|', '') === '')
    throw usage(
      'bad_pattern',
      '--grep has no words.',
      'Write words, with | between those of which one is enough.',
      'grep',
    );
  const most = args.number('lines', { min: 1, max: LINES_MAX }) ?? Number.POSITIVE_INFINITY;
  const filter = {
    text,
    rig: args.text('rig'),
    bead: args.text('bead'),
    agent: args.text('agent'),
    since: sinceOf(args.text('since')),
  };
  let found = 0;
  const unread = new Map<string, number>();
  for (let cursor: string | undefined; ;) {
    const page = await client.get<SearchPage>(`transcripts${query({ ...filter, cursor })}`);
    for (const item of page.items.slice(0, most - found)) print(context, item);
    found = Math.min(most, found + page.items.length);
    for (const { reason } of page.unread) unread.set(reason, (unread.get(reason) ?? 0) + 1);
    if (page.next === null || found >= most) break;
    cursor = page.next;
  }
  sayRest(context, { text, found, unread });
  return found === 0 ? EXIT.failed : EXIT.ok;
}

interface Rest {
  readonly text: string;
  readonly found: number;
  /** How many attempts could not be read, by the reason. */
  readonly unread: ReadonlyMap<string, number>;
}

function sayRest(context: Context, { text, found, unread }: Rest): void {
  if (found === 0) context.hint('No line matches.');
  if (found === 0 && PATTERN.test(text))
    context.hint(
      'The whole town is searched for words as they stand; the output of one bead takes a regular expression.',
    );
  for (const [reason, count] of unread) context.hint(`${counted(count, 'attempt')} could not be read: ${reason}`);
}

/** Escapes in what agents print are never let through: this is other people's output in a list. */
function print(context: Context, item: SearchPage['items'][number]): void {
  if (context.json) context.print(JSON.stringify(item));
  else {
    const place = `${item.bead} ${item.agent} ${item.attempt}:${String(item.line)}: `;
    context.print(paint(context.style, 'dim', place) + plain(item.text));
  }
}
