/** Output of agents: stored by attempt, to be read, searched and followed; and a seat beside one at work. */
import { createInterface } from 'node:readline';
import type { BeadDetailItem } from '../../api/contract/beads.ts';
import type { OutputFrame } from '../../api/contract/stream.ts';
import type { NudgeItem } from '../../api/contract/talk.ts';
import { precondition, TownError, usage } from '../../core/errors.ts';
import { isBeadId } from '../../core/model/ids.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain } from '../output.ts';
import { NotListening } from '../socket-http.ts';
import { searchTown } from '../search-logs.ts';
import { clientOf, query, segment, type TownClient } from '../town-client.ts';

/** After a stream ended or could not be opened it is opened again; quick for a person, cheap for the town. */
const AGAIN_AFTER_MS = 1_000;
const LINES_MAX = 100_000;
/** What a person who sits down beside an agent is shown of before. */
const SEEN_LINES = 40;
/** A pattern is a word or two; a longer one is a mistake of quoting. */
const PATTERN_CHARS_MAX = 500;

export const logs: CommandSpec = {
  usage:
    'gt logs [agent, attempt or bead] [-f] [-n <lines>] [--grep <pattern>] [--attempts] [--from <byte>] [--rig|--bead|--agent <name>] [--since <when>]',
  summary:
    'output of an agent; of a bead: of its latest attempt, or searched through all of them; or the whole town searched',
  examples: [
    'gt logs app-7k3qf -f',
    'gt logs app-7k3qf --grep "error|failed"',
    'gt logs app/polecats/nux -n 20',
    'gt logs --grep "out of memory" --since 24h',
  ],
  args: ['[agent]'],
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on until it ends, or Ctrl-C' },
    lines: { type: 'string', short: 'n', value: 'n', help: 'only so many of the last lines' },
    grep: { type: 'string', value: 'pattern', help: 'only lines that match; of a bead in all its attempts' },
    attempts: { type: 'boolean', help: 'of a bead: all its attempts, oldest first' },
    rig: { type: 'string', value: 'name', help: 'the town searched: only this rig' },
    bead: { type: 'string', value: 'id', help: 'the town searched: only this bead' },
    agent: { type: 'string', value: 'id', help: 'the town searched: only this agent' },
    since: { type: 'string', value: 'when', help: 'the town searched: attempts that began since: 24h, or 2026-01-31' },
    from: { type: 'string', value: 'byte', help: 'start at this offset' },
  },
  notes:
    'Without a name the whole town is searched, newest attempt first, for words as they stand (| between them: one is enough).\n' +
    'Of a bead a pattern is a regular expression; small letters match capitals too. Matches show attempt and line number.\n' +
    'With --json each line of output is an object; exit code 1 when nothing matched.',
  run: async (context, args) => {
    const client = clientOf(context);
    if (args.positionals.length === 0 && args.text('grep') !== undefined) return searchTown(context, client, args);
    refuseTownOnly(args);
    return outputOf(context, client, args);
  },
};

/** Output of what was named. */
async function outputOf(context: Context, client: TownClient, args: Arguments): Promise<number> {
  const pattern = patternOf(args);
  const all = args.flag('attempts') || pattern !== null;
  const attempts = await attemptsOf(context, client, { name: args.at(0), all });
  if (pattern !== null) return search(context, client, { attempts, pattern });
  const [only] = attempts;
  const lines = args.number('lines', { min: 1, max: LINES_MAX });
  if (attempts.length > 1 || lines !== undefined) {
    let seen: Followed | null = null;
    for (const attempt of attempts)
      seen = { attempt, from: await printWhole(context, client, { attempt, lines, named: attempts.length > 1 }) };
    return args.flag('follow') && seen !== null ? follow(context, client, seen) : EXIT.ok;
  }
  if (only === undefined) return EXIT.ok;
  const from = args.number('from', { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0;
  const next = await printFrom(context, client, { attempt: only, from });
  return args.flag('follow') ? follow(context, client, { attempt: only, from: next }) : EXIT.ok;
}

/** Errors: `missing_argument`, `unexpected_value`. */
function refuseTownOnly(args: Arguments): void {
  if (args.positionals.length === 0)
    throw usage(
      'missing_argument',
      'Whose output? No agent, attempt or bead is named.',
      'Name one, or say --grep "words".',
    );
  const given = ['rig', 'bead', 'agent', 'since'].find((name) => args.text(name) !== undefined);
  if (given === undefined) return;
  throw usage(
    'unexpected_value',
    `--${given} is for a search of the whole town.`,
    'Leave the name away, and say --grep "words".',
    given,
  );
}

/** Errors: `bad_pattern`. */
function patternOf(args: Arguments): RegExp | null {
  const text = args.text('grep');
  if (text === undefined) return null;
  try {
    if (text === '' || text.length > PATTERN_CHARS_MAX) throw new SyntaxError('it is empty or too long');
    return new RegExp(text, text === text.toLowerCase() ? 'iu' : 'u');
  } catch (error) {
    throw usage(
      'bad_pattern',
      `--grep ${JSON.stringify(text.slice(0, 80))} can't be read: ${error instanceof Error ? error.message : String(error)}.`,
      'Write a regular expression, for example "error|failed".',
      'grep',
    );
  }
}

/** Attempts that are meant, oldest first. Errors: `no_attempt`, those of the API. */
async function attemptsOf(
  context: Context,
  client: TownClient,
  wanted: { readonly name: string; readonly all: boolean },
): Promise<readonly string[]> {
  if (!isBeadId(wanted.name)) return [wanted.name];
  const bead = await client.get<BeadDetailItem>(`beads/${segment(wanted.name)}`);
  const latest = bead.attempt_list.at(-1);
  if (latest === undefined)
    throw precondition(
      'no_attempt',
      `Nobody has worked on ${wanted.name} yet. ${bead.why.sentence}`,
      `See "gt why ${wanted.name}".`,
    );
  if (wanted.all) return bead.attempt_list.map(({ id }) => id);
  context.hint(`${latest.id} by ${latest.agent} (${latest.status})`);
  return [latest.id];
}

interface Page {
  readonly text: string;
  readonly next: number;
}

async function pageOf(client: TownClient, attempt: string, from: number): Promise<Page> {
  const reply = await client.read(`agents/${segment(attempt)}/transcript${query({ from })}`);
  const next = Number(reply.headers.get('x-next-offset') ?? from + Buffer.byteLength(reply.text));
  return { text: reply.text, next };
}

/** Pages until there is nothing more; a live agent's are those that are there now. */
async function* pages(client: TownClient, attempt: string, from = 0): AsyncGenerator<Page, void> {
  for (let at = from; ;) {
    const page = await pageOf(client, attempt, at);
    if (page.text === '') return;
    yield page;
    at = page.next;
  }
}

async function printFrom(
  context: Context,
  client: TownClient,
  { attempt, from }: { readonly attempt: string; readonly from: number },
): Promise<number> {
  let next = from;
  for await (const page of pages(client, attempt, from)) {
    write(context, page.text, { from: next, next: page.next });
    next = page.next;
  }
  if (context.json && next === from) write(context, '', { from, next });
  return next;
}

function write(context: Context, text: string, at: { readonly from: number; readonly next: number }): void {
  if (context.json) context.print(JSON.stringify({ text, from: at.from, next: at.next }));
  else if (text !== '') context.write(context.style.terminal ? plain(text) : text);
}

interface Line {
  readonly number: number;
  readonly text: string;
}

/** Lines of a transcript with their numbers; the last may be unfinished. Returns the offset that it was read to. */
async function* linesOf(client: TownClient, attempt: string): AsyncGenerator<Line, number> {
  let next = 0;
  let rest = '';
  let number = 0;
  for await (const page of pages(client, attempt)) {
    const lines = (rest + page.text).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) yield { number: (number += 1), text };
    next = page.next;
  }
  if (rest !== '') yield { number: number + 1, text: rest };
  return next;
}

/** The offset that it was read to: what follows begins there, so that nothing between is lost or told twice. */
async function printWhole(
  context: Context,
  client: TownClient,
  what: { readonly attempt: string; readonly lines: number | undefined; readonly named: boolean },
): Promise<number> {
  const kept: Line[] = [];
  const lines = linesOf(client, what.attempt);
  let step = await lines.next();
  for (; step.done !== true; step = await lines.next()) {
    kept.push(step.value);
    if (what.lines !== undefined && kept.length > what.lines) kept.shift();
  }
  if (what.named && !context.json) context.print(paint(context.style, 'bold', `== ${what.attempt}`));
  for (const line of kept) printLine(context, what.attempt, line, false);
  return step.value;
}

function printLine(
  context: Context,
  attempt: string,
  line: { readonly number: number; readonly text: string },
  isMatch: boolean,
): void {
  if (context.json) context.print(JSON.stringify({ attempt, line: line.number, text: line.text }));
  else {
    const place = isMatch ? paint(context.style, 'dim', `${attempt}:${String(line.number)}: `) : '';
    context.print(place + (context.style.terminal ? plain(line.text) : line.text));
  }
}

async function search(
  context: Context,
  client: TownClient,
  what: { readonly attempts: readonly string[]; readonly pattern: RegExp },
): Promise<number> {
  let found = 0;
  for (const attempt of what.attempts)
    for await (const line of linesOf(client, attempt)) {
      if (!what.pattern.test(line.text)) continue;
      found += 1;
      printLine(context, attempt, line, true);
    }
  if (found === 0) context.hint('No line matches.');
  return found === 0 ? EXIT.failed : EXIT.ok;
}

/** What is followed, and how far it was read. */
interface Followed {
  readonly attempt: string;
  from: number;
}

/** By the stream of its output; page by page while no daemon is there. Ends with the attempt. */
async function follow(context: Context, client: TownClient, what: Followed): Promise<number> {
  process.once('SIGINT', () => {
    process.exit(EXIT.interrupted);
  });
  for (;;) {
    try {
      if (await streamed(context, client, what)) return EXIT.ok;
    } catch (error) {
      const isRefused = error instanceof TownError && (error.kind === 'forbidden' || error.code === 'no_stream');
      if (!isRefused && !(error instanceof NotListening)) throw error;
      what.from = await printFrom(context, client, what);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, AGAIN_AFTER_MS);
    });
  }
}

/** One stream to its end, however it ends; true: the attempt has ended and all was told. */
async function streamed(context: Context, client: TownClient, what: Followed): Promise<boolean> {
  const path = `agents/${segment(what.attempt)}/output${query({ from: what.from })}`;
  for await (const frame of client.frames<OutputFrame>(path, null)) {
    if (frame.type === 'end') return true;
    write(context, frame.text, frame);
    what.from = frame.next;
  }
  return false;
}

export const attach: CommandSpec = {
  usage: 'gt attach <agent, attempt or bead> [--read-only]',
  summary: 'sit down beside an agent: its output as it comes; in a terminal each line you type is a word to it',
  examples: ['gt attach nux', 'gt attach app-7k3qf --read-only'],
  args: ['<agent>'],
  options: { 'read-only': { type: 'boolean', help: 'only look' } },
  notes:
    'What you type is a nudge: it goes into the live session where the runtime takes words, else with its mail.\n' +
    'Ctrl-C leaves; the agent goes on. It ends when the attempt does. For output in a pipe use "gt logs -f".',
  run: async (context, args) => {
    const client = clientOf(context);
    const [attempt] = await attemptsOf(context, client, { name: args.at(0), all: false });
    if (attempt === undefined) return EXIT.ok;
    const from = await printWhole(context, client, { attempt, lines: SEEN_LINES, named: false });
    const speaks = !args.flag('read-only') && process.stdin.isTTY;
    context.hint(speaks ? '— attached; type to nudge, Ctrl-C to leave' : '— attached, read-only; Ctrl-C to leave');
    const input = speaks ? createInterface({ input: process.stdin }) : null;
    input?.on('line', (line) => {
      if (line.trim() !== '') void say(context, client, { attempt, text: line });
    });
    input?.once('SIGINT', () => process.exit(EXIT.interrupted));
    try {
      const code = await follow(context, client, { attempt, from });
      context.hint(`— ${attempt} has ended: gt logs ${attempt}`);
      return code;
    } finally {
      input?.close();
    }
  },
};

/** A word that can't be said is no reason to leave. */
async function say(
  context: Context,
  client: TownClient,
  word: { readonly attempt: string; readonly text: string },
): Promise<void> {
  try {
    const path = `agents/${segment(word.attempt)}/nudge`;
    const nudge = await client.post<NudgeItem>(path, { text: word.text });
    context.hint(nudge.status === 'delivered' ? '— said' : `— ${nudge.status}: the agent finds it with its mail`);
  } catch (error) {
    context.hint(`— not said: ${error instanceof Error ? plain(error.message) : String(error)}`);
  }
}
