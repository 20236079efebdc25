/** Searching the output of a whole town: page by page, newest attempt first. */
import type { SearchPage } from '../api/contract/search.ts';
import { usage } from '../core/errors.ts';
import type { Arguments } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { paint, plain } from './output.ts';
import { sinceOf } from './since.ts';
import { query, type TownClient } from './town-client.ts';

/** What means something in a pattern, but for `|`. */
const PATTERN = /[\\^$.*+?()[\]{}]/;
const LINES_MAX = 100_000;

/** Errors: `bad_pattern`, those of the API. */
export async function searchTown(context: Context, client: TownClient, args: Arguments): Promise<number> {
  const text = args.text('grep') ?? '';
  if (text.replaceAll('|', '') === '' || PATTERN.test(text))
    throw usage(
      'bad_pattern',
      `--grep ${JSON.stringify(text.slice(0, 80))}: the whole town is searched for words as they stand, not for patterns.`,
      'Write words, with | between those of which one is enough; or name a bead, whose output takes a regular expression.',
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
  let unread = 0;
  for (let cursor: string | undefined; ;) {
    const page = await client.get<SearchPage>(`transcripts${query({ ...filter, cursor })}`);
    for (const item of page.items.slice(0, most - found)) print(context, item);
    found = Math.min(most, found + page.items.length);
    unread += page.unread.length;
    if (page.next === null || found >= most) break;
    cursor = page.next;
  }
  if (found === 0) context.hint('No line matches.');
  if (unread > 0) context.hint(`${String(unread)} attempts could not be read: their runner does not answer.`);
  return found === 0 ? EXIT.failed : EXIT.ok;
}

/** Escapes in what agents print are never let through: this is other people's output in a list. */
function print(context: Context, item: SearchPage['items'][number]): void {
  if (context.json) context.print(JSON.stringify(item));
  else {
    const place = `${item.bead} ${item.agent} ${item.attempt}:${String(item.line)}: `;
    context.print(paint(context.style, 'dim', place) + plain(item.text));
  }
}
