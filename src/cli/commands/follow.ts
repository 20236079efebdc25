import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { StreamFrame } from '../../api/contract/stream.ts';
import type { FeedItem, JournalItem } from '../../api/contract/town.ts';
import { precondition, TownError } from '../../core/errors.ts';
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../../core/limits.ts';
import type { TownPaths } from '../../hosts/node/town-files.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain } from '../output.ts';
import { NotListening } from '../socket-http.ts';
import { query, TownClient } from '../town-client.ts';

/** How often a followed thing is looked at, or a stream that ended is opened again. */
const FOLLOW_EVERY_MS = 1_000;
const LINES_DEFAULT = 50;
const LINES_MAX = 100_000;

const followOption = { type: 'boolean', short: 'f', help: 'go on until Ctrl-C' } as const;

/** Repeats `look` until Ctrl-C, which ends the program with 130. */
async function follow(look: () => Promise<void> | void, firstAfterMs = FOLLOW_EVERY_MS): Promise<never> {
  process.once('SIGINT', () => {
    process.exit(EXIT.interrupted);
  });
  for (let afterMs = firstAfterMs; ; afterMs = FOLLOW_EVERY_MS) {
    await new Promise((resolve) => {
      setTimeout(resolve, afterMs);
    });
    await look();
  }
}

export const feed: CommandSpec = {
  usage: 'gt feed [-n <entries>] [--since <time>] [-f] | --all | --cursor <c>',
  summary: 'what happened last, by which rule, and why; with -f --json one line per entry',
  examples: ['gt feed -n 20', 'gt feed --since 10m -f'],
  options: {
    lines: { type: 'string', short: 'n', value: 'n', help: `so many of the newest (default ${String(LINES_DEFAULT)})` },
    since: { type: 'string', value: 'time', help: 'only of the last 10m, 2h …' },
    follow: followOption,
    all: { type: 'boolean', help: 'from the beginning, page by page' },
    limit: { type: 'string', value: 'n', help: `entries per page (default 100, up to ${String(PAGE_SIZE_MAX)})` },
    cursor: { type: 'string', value: 'c', help: 'continue after an earlier page' },
  },
  run: async (context, args) => {
    const client = new TownClient(context.town());
    const limit = args.number('limit', { min: 1, max: PAGE_SIZE_MAX });
    const isFollowing = args.flag('follow');
    const isPaging = args.flag('all') || args.text('cursor') !== undefined;
    const page = await client.get<FeedItem>(
      isPaging ? `feed${query({ limit, cursor: args.text('cursor') })}` : await tailPath(args, limit),
    );
    if (context.json && !isFollowing) {
      context.print(JSON.stringify(page));
      return EXIT.ok;
    }
    printEntries(context, page.items);
    if (!isFollowing) {
      if (page.items.length === 0) context.hint('Nothing happened.');
      if (isPaging && page.items.length >= (limit ?? PAGE_SIZE_DEFAULT))
        context.hint(`Later entries: gt feed --cursor ${page.cursor}`);
      return EXIT.ok;
    }
    return followFeed(context, client, page.cursor);
  },
};

/** By the live stream; page by page while no daemon is there, or where the caller may not read the stream. */
async function followFeed(context: Context, client: TownClient, from: string): Promise<never> {
  let cursor = from;
  return follow(async () => {
    try {
      for await (const frame of client.frames<StreamFrame>('stream', cursor)) {
        if (frame.type === 'delta') printEntries(context, frame.items);
        if (frame.type === 'reset') context.hint(`Some entries are not told: ${frame.reason}`);
        cursor = frame.cursor;
      }
    } catch (error) {
      // A town of Durable Objects has its stream on WebSockets, for programs that stay for hours.
      const isRefused = error instanceof TownError && (error.kind === 'forbidden' || error.code === 'websocket_needed');
      if (!isRefused && !(error instanceof NotListening)) throw error;
      const page = await client.get<FeedItem>(`feed${query({ cursor })}`);
      printEntries(context, page.items);
      cursor = page.cursor;
    }
  }, 0);
}

async function tailPath(args: Arguments, limit: number | undefined): Promise<string> {
  const since = args.text('since');
  const lines = args.number('lines', { min: 1, max: PAGE_SIZE_MAX });
  const tail = lines ?? limit ?? (since === undefined ? LINES_DEFAULT : PAGE_SIZE_MAX);
  if (since === undefined) return `feed${query({ tail })}`;
  const { parseDurationMs } = await import('../../settings/duration.ts');
  return `feed${query({ tail, since: Math.max(0, Date.now() - parseDurationMs(since, '--since')) })}`;
}

function printEntries(context: Context, entries: readonly JournalItem[]): void {
  for (const entry of entries) {
    if (context.json) {
      context.print(JSON.stringify(entry));
      continue;
    }
    const change = entry.from === null && entry.to === null ? '' : ` ${entry.from ?? '-'} → ${entry.to ?? '-'}`;
    const time = new Date(entry.at).toISOString().slice(11, 19);
    context.print(
      `${paint(context.style, 'dim', time)}  ${entry.actor.padEnd(10)}  ${entry.entity}  ${entry.action}${change}  ${paint(context.style, 'dim', `[${entry.rule}]`)} ${plain(entry.reason)}`,
    );
  }
}

export const daemonLogs: CommandSpec = {
  usage: 'gt daemon logs [-n <lines>] [-f]',
  summary: 'the log of the daemon',
  examples: ['gt daemon logs', 'gt daemon logs -n 200 -f'],
  options: {
    lines: {
      type: 'string',
      short: 'n',
      value: 'n',
      help: `so many of the last lines (default ${String(LINES_DEFAULT)})`,
    },
    follow: followOption,
  },
  run: async (context, args) => {
    const { paths } = context.town();
    const path = await logFileOf(paths, context.env);
    const count = args.number('lines', { min: 1, max: LINES_MAX }) ?? LINES_DEFAULT;
    if (!existsSync(path))
      throw precondition(
        'no_log',
        `There is no log at ${path}.`,
        'The daemon has not run here yet: start it with "gt up".',
      );
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count);
    if (context.json) context.print(JSON.stringify({ path, lines }));
    else context.print(lines.join('\n'));
    if (!args.flag('follow')) return EXIT.ok;
    let offset = statSync(path).size;
    return follow(() => {
      offset = printNew(context, path, offset);
    });
  },
};

/** The log says why a configuration was refused, so a broken one must not hide it. */
async function logFileOf(paths: TownPaths, env: NodeJS.ProcessEnv): Promise<string> {
  const { loadConfig } = await import('../../hosts/node/town-config.ts');
  try {
    return loadConfig(paths, env).logFile;
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return paths.daemonLog;
  }
}

/** Prints what was added since `offset`; a rotated log starts again at 0. */
function printNew(context: Context, path: string, offset: number): number {
  const size = existsSync(path) ? statSync(path).size : 0;
  const from = size < offset ? 0 : offset;
  if (size === from) return size;
  const file = openSync(path, 'r');
  try {
    const data = Buffer.alloc(size - from);
    const read = readSync(file, data, 0, data.length, from);
    context.write(data.subarray(0, read).toString('utf8'));
    return from + read;
  } finally {
    closeSync(file);
  }
}
