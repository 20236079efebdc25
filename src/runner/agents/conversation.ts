import type { ChildProcess } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

import { TownError } from '../../core/errors.ts';
import type { RunnerContext } from '../context.ts';
import { EVENT_LINE_BYTES_MAX, REMINDERS_MAX, SESSION_END_MS } from '../limits.ts';
import { kill } from '../process/sweep.ts';
import type { AgentEvent, AgentSession, Failure, SessionLink } from '../runtimes/session.ts';
import { errorText } from '../text.ts';
import { readAnswer } from './answer.ts';
import { recordLimit, recordWaiting } from './conversation-facts.ts';
import type { LiveAgent, LiveConversation } from './live.ts';
import { askToEnd } from './stop.ts';
import type { Transcript } from './transcript.ts';

const REMINDER =
  'Your turn has ended, but the bead is still on your hook. Finished and committed? Run: gt done --summary "<one line>". Nothing to change? gt done --no-change "<reason>". Stuck? gt escalate "<what is wrong>". Only a person can decide? gt wait "<question>". Otherwise go on.';
const GO_ON = 'Nothing was heard from you for a long time, so your turn was ended. Go on where you were.';

/**
 * One process of an agent's program that is spoken to: prompts in, events out. It remembers the session's id before the
 * first prompt, says so once when a turn ends without "gt done", waits for people where the program asks them, and ends
 * what fell silent: no program gives up on a hung model by itself.
 */
export class Conversation implements LiveConversation {
  readonly #ctx: RunnerContext;
  readonly #live: LiveAgent;
  readonly #child: ChildProcess;
  readonly #transcript: Transcript;
  readonly #session: AgentSession;
  readonly #tools = new Map<string, string>();
  #state: 'busy' | 'idle' | 'closing' = 'busy';
  #permission: string | null = null;
  #reminders = 0;
  #silences = 0;
  #silence: NodeJS.Timeout | null = null;
  /** The turn is being ended because nothing was heard. */
  #isEnding = false;
  /** Text arrives in pieces; a line of the transcript is whole. */
  #isMidLine = false;

  constructor(
    ctx: RunnerContext,
    live: LiveAgent,
    of: {
      readonly child: ChildProcess;
      readonly transcript: Transcript;
      readonly cwd: string;
      readonly session: (link: SessionLink) => AgentSession;
    },
  ) {
    this.#ctx = ctx;
    this.#live = live;
    this.#child = of.child;
    this.#transcript = of.transcript;
    this.#session = of.session({
      send: (line) => {
        of.child.stdin?.write(`${line}\n`);
      },
      event: (event) => {
        this.#event(event);
      },
      identified: (session) => {
        const { rig, bead, runtime, attempt } = live.request;
        ctx.sessions.set({ rig, bead, runtime, session, cwd: of.cwd }, attempt);
      },
    });
    readLines(of.child, (line) => {
      this.#session.line(line);
    });
  }

  begin(prompt: string): void {
    this.#heard();
    this.#session.begin(prompt).catch((error: unknown) => {
      this.#fail({ kind: 'other', message: errorText(error), resetsAtMs: null });
    });
  }

  /** Titles of the tools that run. */
  get activeTools(): readonly string[] {
    return [...this.#tools.values()];
  }

  /** Errors: `in_mid_turn` (busy): words that would end the turn, or that were to wait for its end, come again later. */
  async say(text: string, mode: 'immediate' | 'wait-idle', nudge: 'steer' | 'queue' | 'cancels'): Promise<void> {
    if (this.#permission !== null) {
      this.#answer(this.#permission, text);
      return;
    }
    if (this.#state === 'closing') throw notNow('session_ending', 'The session is ending.');
    if (this.#state === 'busy' && (mode === 'wait-idle' || nudge === 'cancels'))
      throw notNow('in_mid_turn', 'The agent is in the middle of its turn.');
    this.#state = 'busy';
    this.#reminders = 0;
    this.#note(`> ${text}`);
    this.#heard();
    await this.#session.say(text);
  }

  /** Ends the turn and its tools by the protocol, before any signal. */
  async cancel(): Promise<void> {
    if (this.#state === 'busy') await this.#session.cancel();
  }

  /** The process is gone. */
  over(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#state = 'closing';
    this.#tools.clear();
    if (this.#live.failure?.kind === 'session') this.#ctx.sessions.forget(this.#live.request);
  }

  #event(event: AgentEvent): void {
    this.#heard();
    switch (event.type) {
      case 'started':
        this.#note(`[${this.#live.request.runtime}] ${event.how}`);
        return;
      case 'text':
        this.#write(event.text);
        return;
      case 'tool_start':
        // Words may be the program's own; a tool is called by a model that answers.
        this.#silences = 0;
        this.#tools.set(event.id, event.title);
        this.#note(`[tool] ${event.title}`);
        return;
      case 'tool_end':
        this.#tools.delete(event.id);
        this.#note(`[${event.ok ? 'ok' : 'failed'}] ${event.output}`.trimEnd());
        return;
      case 'permission':
        this.#permission = event.id;
        this.#note(`[asks] ${event.title}`);
        recordWaiting(this.#ctx, this.#live, event.title);
        return;
      case 'retry':
        this.#note(`[retry] ${event.reason}`);
        if (event.isLimit)
          this.#fail({
            kind: 'limit',
            message: event.reason,
            resetsAtMs: event.inMs === null ? null : this.#ctx.clock.now() + event.inMs,
          });
        return;
      case 'usage':
        this.#live.used = event.models;
        return;
      case 'turn_end':
        this.#turnEnd(event.failure);
        return;
      default:
        this.#note(event.text);
    }
  }

  #turnEnd(failure: Failure | null): void {
    this.#tools.clear();
    this.#permission = null;
    if (this.#state === 'closing') return;
    this.#state = 'idle';
    this.#live.turnEnded();
    // A turn that we ended may say that it failed: that is our doing.
    const wasOurs = this.#isEnding;
    this.#isEnding = false;
    if (wasOurs && !this.#hasClaimed()) this.#speak(GO_ON);
    else if (failure !== null) this.#fail(failure);
    else if (this.#hasClaimed()) this.#close();
    else if (this.#reminders < REMINDERS_MAX) {
      this.#reminders += 1;
      this.#speak(REMINDER);
    } else {
      this.#note('The turn ended without an accepted "gt done".');
      this.#close();
    }
  }

  #speak(text: string): void {
    this.#state = 'busy';
    this.#note(`> ${text}`);
    this.#heard();
    void this.#session.say(text);
  }

  /** A session of the town hands nothing in. */
  #hasClaimed(): boolean {
    const { request } = this.#live;
    return request.repo === null || (this.#ctx.attempts.get(request.attempt)?.intentHash ?? null) !== null;
  }

  #fail(failure: Failure): void {
    if (this.#state === 'closing') return;
    this.#live.failure = failure;
    if (failure.kind === 'limit' || failure.kind === 'provider') recordLimit(this.#ctx, this.#live, failure);
    // One line: the last one is what people read of the end.
    this.#note(failure.message.replaceAll(/\s+/g, ' '));
    if (this.#state === 'busy') void this.#session.cancel();
    this.#close();
  }

  /** Nothing more is said: most programs end then; one that does not is ended. */
  #close(): void {
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    this.#child.stdin?.end();
    const timer = setTimeout(() => {
      if (this.#child.exitCode === null) askToEnd(this.#live);
    }, SESSION_END_MS);
    timer.unref();
    const last = setTimeout(() => {
      if (this.#child.pid !== undefined && this.#child.exitCode === null) kill(-this.#child.pid, 'SIGKILL');
    }, 2 * SESSION_END_MS);
    last.unref();
    this.#child.once('exit', () => {
      clearTimeout(timer);
      clearTimeout(last);
    });
  }

  #answer(permission: string, words: string): void {
    const isAllowed = readAnswer(words);
    this.#permission = null;
    this.#note(`> ${words}`);
    this.#session.answer(permission, isAllowed, words);
    recordWaiting(this.#ctx, this.#live, null);
  }

  /** Each sign of life begins the wait anew; a tool that runs and a person who is asked may take their time. */
  #heard(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    if (this.#state === 'closing') return;
    this.#silence = setTimeout(() => {
      this.#silent();
    }, this.#ctx.timings.silenceMs);
    this.#silence.unref();
  }

  #silent(): void {
    if (this.#state !== 'busy' || this.#permission !== null || this.#tools.size > 0) {
      this.#heard();
      return;
    }
    this.#silences += 1;
    if (this.#silences === 1) {
      this.#note('[silent] nothing was heard for a long time; the turn is ended');
      this.#isEnding = true;
      this.#heard();
      void this.#session.cancel();
      return;
    }
    this.#fail({ kind: 'provider', message: 'Nothing was heard from the model for a long time.', resetsAtMs: null });
  }

  #write(text: string): void {
    this.#isMidLine = text !== '' && !text.endsWith('\n');
    this.#transcript.write(Buffer.from(text));
  }

  #note(text: string): void {
    const start = this.#isMidLine ? '\n' : '';
    this.#isMidLine = false;
    this.#transcript.write(Buffer.from(`${start}${text}\n`));
  }
}

const notNow = (code: string, message: string): TownError =>
  new TownError('busy', code, { message, next: 'Try again later.' });

/** Whole lines of the program's output. One that is too long is dropped: no protocol sends such. */
function readLines(child: ChildProcess, line: (text: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = (parts.pop() ?? '').slice(0, EVENT_LINE_BYTES_MAX);
    for (const part of parts) line(part);
  });
}
