/** A live conversation with the mayor: what was said, what it is doing now, and its answers as they come. */
import { createInterface, type Interface } from 'node:readline';
import type { MayorItem, MayorMessageItem, MayorMessagePage } from '../../api/contract/mayor.ts';
import type { OutputFrame } from '../../api/contract/stream.ts';
import { precondition, TownError } from '../../core/errors.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain } from '../output.ts';
import { query, TownClient } from '../town-client.ts';
import { answerLines, answerOf, messageLines, noAnswer } from './mayor.ts';

/** A call that could not be made is made again after this; the message is not lost meanwhile. */
const AGAIN_AFTER_MS = 1_000;
/** As long as `gt mayor message --wait` may: then nobody has heard it, and a script must know. */
const WAIT_MAX_MS = 60 * 60 * 1_000;
const SEEN_MESSAGES = 10;
/** Lines of earlier messages that the arrow keys bring back. */
const HISTORY_LINES = 100;
/** A line of output longer than the screen is for the log. */
const LIVE_LINE_CHARS = 160;

export const chat: CommandSpec = {
  usage: 'gt mayor [--quiet]',
  summary: 'talk with the mayor: each line is a message, answers appear as they come; ends with Ctrl-D',
  examples: ['gt mayor', 'echo "What is stuck?" | gt mayor'],
  options: { quiet: { type: 'boolean', help: 'in a terminal: do not show what it is doing meanwhile' } },
  notes:
    'Messages make no beads; the mayor gives work out itself. What was said stays: gt mayor log.\n' +
    'From a pipe it sends each line, waits for all answers and prints them; exit code 3 when one was given up.',
  run: async (context, args) => {
    const client = new TownClient(context.town());
    const mayor = await client.get<MayorItem>('mayor');
    if (!mayor.configured)
      throw precondition(
        'no_mayor',
        'This town has no mayor, so nobody would answer.',
        'Add [mayor] with command = "…" to gastown.toml, then "gt daemon reload".',
      );
    if (mayor.status === 'stopped') context.hint('The mayor is stopped: messages wait for "gt mayor start".');
    return new Conversation(context, client, !args.flag('quiet')).run();
  },
};

class Conversation {
  readonly #context: Context;
  readonly #client: TownClient;
  /** A person at a terminal; otherwise lines of a pipe. */
  readonly #isLive: boolean;
  readonly #showsWork: boolean;
  /** Messages that wait for an answer, each with the promise of it. */
  readonly #open = new Map<number, Promise<MayorMessageItem>>();
  readonly #left = new AbortController();
  #input: Interface | null = null;
  #isWatching = false;

  constructor(context: Context, client: TownClient, showsWork: boolean) {
    this.#context = context;
    this.#client = client;
    this.#isLive = process.stdin.isTTY && context.style.terminal && !context.json;
    this.#showsWork = showsWork && this.#isLive;
  }

  async run(): Promise<number> {
    const before = await this.#client.get<MayorMessagePage>(`mayor/messages${query({ limit: HISTORY_LINES })}`);
    if (!this.#context.json)
      for (const item of before.items.slice(-SEEN_MESSAGES))
        this.#context.print(`${messageLines(item, this.#context)}\n`);
    // A person sees what becomes of earlier messages too; a script waits for its own only.
    if (this.#isLive) for (const item of before.items) if (item.settled_at === null) this.#wait(item);
    const input = createInterface({
      input: process.stdin,
      ...(this.#isLive
        ? {
            output: process.stdout,
            prompt: `${paint(this.#context.style, 'bold', 'you')} › `,
            history: before.items.map(({ text }) => text.replaceAll('\n', ' ')).toReversed(),
          }
        : {}),
    });
    this.#input = input;
    if (this.#isLive) input.prompt();
    try {
      for await (const line of input) await this.#send(line);
    } finally {
      input.close();
    }
    return this.#isLive ? this.#leave() : this.#answers();
  }

  async #send(line: string): Promise<void> {
    if (line.trim() !== '') {
      try {
        const item = await this.#client.post<MayorMessageItem>('mayor/messages', { text: line });
        this.#wait(item);
      } catch (error) {
        // At a terminal the next line may go better; a script must know.
        if (!this.#isLive || !(error instanceof TownError)) throw error;
        this.#say(paint(this.#context.style, 'red', `not sent: ${plain(error.message)} ${plain(error.next)}`));
      }
    }
    if (this.#isLive) this.#input?.prompt();
  }

  #wait(item: MayorMessageItem): void {
    const answer = this.#answerOf(item);
    this.#open.set(item.id, answer);
    answer.then(
      (settled) => {
        this.#open.delete(item.id);
        if (!this.#left.signal.aborted) this.#printAnswer(settled);
      },
      (error: unknown) => {
        // A script meets it at its end, where it waits for all.
        if (!this.#isLive) return;
        this.#open.delete(item.id);
        this.#say(paint(this.#context.style, 'red', `${String(item.id)}: ${plain(String(error))}`));
      },
    );
    if (this.#showsWork && !this.#isWatching) void this.#watchWork();
  }

  /** A daemon that is away for a moment is asked again. Errors: `no_answer_yet`, those of the API. */
  async #answerOf(item: MayorMessageItem): Promise<MayorMessageItem> {
    const untilMs = Date.now() + WAIT_MAX_MS;
    for (let now = item; ;) {
      if (now.settled_at !== null || this.#left.signal.aborted) return now;
      if (Date.now() > untilMs) throw noAnswer(now);
      try {
        now = await answerOf(this.#client, item.id);
        // Read from the databases: that answers at once.
        if (this.#client.isAway) await pause();
      } catch (error) {
        if (!mayPass(error)) throw error;
        await pause();
      }
    }
  }

  #printAnswer(item: MayorMessageItem): void {
    if (this.#context.json) this.#context.print(JSON.stringify(item));
    else this.#say(`${String(item.id)}${answerLines(item)}`);
  }

  /** Above the line that is being typed, which stays. */
  #say(text: string): void {
    if (this.#isLive) this.#context.write('\r\u001B[K');
    this.#context.print(text);
    if (this.#isLive) this.#input?.prompt(true);
  }

  /** What its session prints while somebody waits: a person sees that it works, and on what. */
  async #watchWork(): Promise<void> {
    this.#isWatching = true;
    const from = new Map<string, number>();
    while (this.#open.size > 0 && !this.#left.signal.aborted) {
      try {
        const attempt = (await this.#client.get<MayorItem>('mayor')).attempt;
        if (attempt !== null) await this.#watchSession(attempt, from);
      } catch {
        // It rests, or the daemon is away; the answer is waited for elsewhere.
      }
      await pause();
    }
    this.#isWatching = false;
  }

  async #watchSession(attempt: string, from: Map<string, number>): Promise<void> {
    const path = `agents/mayor/output${query({ from: from.get(attempt) ?? 0 })}`;
    let rest = '';
    for await (const frame of this.#client.frames<OutputFrame>(path, null)) {
      if (frame.type === 'end' || this.#open.size === 0) return;
      from.set(attempt, frame.next);
      const lines = (rest + frame.text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter(isForPeople))
        this.#say(paint(this.#context.style, 'dim', `  · ${plain(line).slice(0, LIVE_LINE_CHARS)}`));
    }
  }

  #leave(): number {
    this.#left.abort();
    const count = this.#open.size;
    if (count > 0)
      this.#context.hint(`\n${String(count)} of your messages wait for an answer; see it with: gt mayor log`);
    // Answers that are waited for would keep the program.
    process.exit(EXIT.ok);
  }

  /** A pipe ends at once; its answers are still wanted. Errors: `unanswered`. */
  async #answers(): Promise<number> {
    const settled = await Promise.all(this.#open.values());
    const given = settled.find((item) => item.status === 'unanswered');
    if (given !== undefined) throw noAnswer(given);
    return EXIT.ok;
  }
}

/** Nobody was there, or had time; every other answer stays what it is. */
const mayPass = (error: unknown): boolean =>
  error instanceof TownError && (error.kind === 'unreachable' || error.kind === 'busy' || error.code === 'timeout');

/** Events of a program are for its adapter. */
const isForPeople = (line: string): boolean => line.trim() !== '' && !line.startsWith('{');

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, AGAIN_AFTER_MS);
  });
