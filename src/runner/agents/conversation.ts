import type { ChildProcess } from 'node:child_process';

import { TownError } from '../../core/errors.ts';
import type { RunnerContext } from '../context.ts';
import { REMINDERS_MAX, SESSION_END_MS, WORDS_WAIT_MS } from '../limits.ts';
import { kill } from '../process/sweep.ts';
import type { AgentEvent, AgentSession, Failure, SessionLink } from '../runtimes/session.ts';
import { errorText } from '../text.ts';
import { readAnswer } from './answer.ts';
import { recordLimit, recordWaiting } from './conversation-facts.ts';
import { LineReader } from './line-reader.ts';
import type { LiveAgent, LiveConversation } from './live.ts';
import { Steps } from './steps.ts';
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
  /** What it may do is asked of people, one question after another: titles by id, the oldest is told. */
  readonly #questions = new Map<string, string>();
  /** Words that wait for the turn's end, by key; the town asks for them again until they are said. */
  readonly #waiting = new Map<string, { readonly text: string; readonly sinceMs: number }>();
  readonly #steps: Steps;
  #reminders = 0;
  #silences = 0;
  #silence: NodeJS.Timeout | null = null;
  /** The turn is being ended because nothing was heard. */
  #isEnding = false;
  /** Nothing came of the model since the prompt: a program that ends such a turn may forget what it was asked. */
  #isUnheard = true;
  #prompt = '';
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
    this.#steps = new Steps(ctx, live.request.attempt);
    this.#session = of.session({
      send: (line) => {
        of.child.stdin?.write(`${line}\n`);
      },
      event: (event) => {
        // Also called from promises: what is thrown there would end the runner with all its agents.
        this.#steps.safely(() => {
          this.#event(event);
        });
      },
      identified: (session) => {
        const { rig, bead, runtime, attempt } = live.request;
        this.#steps.must(() => {
          ctx.sessions.set({ rig, bead, runtime, session, cwd: of.cwd }, attempt);
        });
      },
    });
    const reader = new LineReader({
      line: (line) => {
        this.#steps.safely(() => {
          this.#session.line(line);
        });
      },
      tooLong: (note) => {
        this.#note(note);
      },
    });
    of.child.stdout?.on('data', (chunk: Buffer) => {
      reader.push(chunk);
    });
  }

  begin(prompt: string): void {
    this.#prompt = prompt;
    this.#heard();
    this.#session.begin(prompt).catch((error: unknown) => {
      this.#fail({ kind: 'other', message: errorText(error), resetsAtMs: null });
    });
  }

  /** Titles of the tools that run. */
  get activeTools(): readonly string[] {
    return [...this.#tools.values()];
  }

  /**
   * Errors: `in_mid_turn` (busy): words that would end the turn, that were to wait for its end, or that came before the
   * session is open. They are said when the turn ends (their key is then known as said), unless they come again before.
   */
  async say(
    words: { readonly key: string; readonly text: string },
    mode: 'immediate' | 'wait-idle',
    nudge: 'steer' | 'queue' | 'cancels',
  ): Promise<void> {
    const { key, text } = words;
    const [asked] = this.#questions.keys();
    if (asked !== undefined) {
      this.#waiting.delete(key);
      this.#answer(asked, text);
      return;
    }
    if (this.#state === 'closing') throw notNow('session_ending', 'The session is ending.');
    const mustWait = mode === 'wait-idle' || nudge === 'cancels' || !this.#session.isOpen;
    if (this.#state === 'busy' && mustWait) {
      if (!this.#waiting.has(key)) this.#waiting.set(key, { text, sinceMs: this.#ctx.clock.now() });
      throw notNow('in_mid_turn', 'The agent is in the middle of its turn.');
    }
    this.#waiting.delete(key);
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
    if (this.#live.failure?.kind === 'session')
      this.#steps.must(() => {
        this.#ctx.sessions.forget(this.#live.request);
      });
  }

  #event(event: AgentEvent): void {
    // Chatter says that the program lives, which is all that is asked of a start; of a model it says nothing.
    if (event.type !== 'note' || !this.#session.isOpen) this.#heard();
    this.#take(event);
  }

  #take(event: AgentEvent): void {
    switch (event.type) {
      case 'started':
        this.#isUnheard = true;
        this.#note(`[${this.#live.request.runtime}] ${event.how}`);
        return;
      case 'text':
        this.#isUnheard = false;
        this.#write(event.text);
        return;
      case 'tool_start':
        this.#toolStart(event);
        return;
      case 'tool_end':
        this.#tools.delete(event.id);
        this.#note(`[${event.ok ? 'ok' : 'failed'}] ${event.output}`.trimEnd());
        return;
      case 'permission':
        this.#ask(event.id, event.title);
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
        this.#live.sessionCost = event.cost;
        return;
      case 'turn_end':
        this.#turnEnd(event.failure);
        return;
      default:
        this.#note(event.text);
    }
  }

  #toolStart(event: Extract<AgentEvent, { type: 'tool_start' }>): void {
    // Words may be the program's own; a tool is called by a model that answers.
    this.#silences = 0;
    this.#isUnheard = false;
    this.#tools.set(event.id, event.title);
    if (event.isPending !== true) this.#note(`[tool] ${event.title}`);
  }

  #ask(id: string, title: string): void {
    this.#note(`[asks] ${title}`);
    this.#questions.set(id, title);
    if (this.#questions.size === 1) this.#tellQuestion(title);
  }

  #turnEnd(failure: Failure | null): void {
    this.#tools.clear();
    if (this.#questions.size > 0) this.#tellQuestion(null);
    this.#questions.clear();
    if (this.#state === 'closing') return;
    this.#state = 'idle';
    // A turn that was ended by a stop asks for no further one, which somebody would pay for.
    if (this.#live.ending !== null) {
      this.#close();
      return;
    }
    this.#live.turnEnded();
    // A turn that we ended may say that it failed: that is our doing.
    const wasOurs = this.#isEnding;
    this.#isEnding = false;
    this.#steps.must(() => {
      if (this.#state === 'idle') this.#next(wasOurs, failure);
    });
  }

  /** What follows a turn. What is read and stored comes before anything is said: it may have to be done again. */
  #next(wasOurs: boolean, failure: Failure | null): void {
    const hasClaimed = this.#hasClaimed();
    const isHandedIn = hasClaimed && this.#live.request.repo !== null;
    if (failure !== null && !wasOurs) this.#fail(failure);
    else if (isHandedIn) this.#close();
    else if (this.#sayWaiting()) return;
    else if (hasClaimed) this.#close();
    else if (wasOurs) this.#speak(this.#isUnheard ? `${GO_ON}\n\n${this.#prompt}` : GO_ON);
    else if (this.#reminders < REMINDERS_MAX) {
      this.#reminders += 1;
      this.#speak(REMINDER);
    } else {
      this.#note('The turn ended without an accepted "gt done".');
      this.#close();
    }
  }

  /** Words that waited for the end of the turn; false: there are none. Those that are too old come with the mail. */
  #sayWaiting(): boolean {
    const now = this.#ctx.clock.now();
    const due = [...this.#waiting].filter(([, { sinceMs }]) => now - sinceMs < WORDS_WAIT_MS);
    // Before the words: said twice is worse than not at all.
    for (const [key] of due) this.#ctx.said.add(this.#live.request.attempt, key);
    this.#waiting.clear();
    if (due.length === 0) return false;
    this.#reminders = 0;
    this.#speak(due.map(([, { text }]) => text).join('\n\n'));
    return true;
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
    if (failure.kind === 'limit' || failure.kind === 'provider')
      this.#steps.must(() => {
        recordLimit(this.#ctx, this.#live, failure);
      });
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
    this.#questions.delete(permission);
    this.#note(`> ${words}`);
    this.#session.answer(permission, isAllowed, words);
    this.#tellQuestion(null);
    const [next] = this.#questions.values();
    if (next !== undefined) this.#tellQuestion(next);
  }

  /** That it asks (the title), or that it was answered (null). */
  #tellQuestion(title: string | null): void {
    this.#steps.must(() => {
      recordWaiting(this.#ctx, this.#live, title);
    });
  }

  /** Each sign of life begins the wait anew; a tool that runs and a person who is asked may take their time. */
  #heard(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    if (this.#state === 'closing') return;
    const { openMs, silenceMs } = this.#ctx.timings;
    this.#silence = setTimeout(
      () => {
        this.#steps.safely(() => {
          this.#silent();
        });
      },
      this.#session.isOpen ? silenceMs : openMs,
    );
    this.#silence.unref();
  }

  #silent(): void {
    if (this.#state !== 'busy' || this.#questions.size > 0 || this.#tools.size > 0) {
      this.#heard();
      return;
    }
    if (!this.#session.isOpen) {
      this.#fail(this.#unopened());
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

  /** No model was asked, so no provider is to blame: it is the program, or the session that it should take up. */
  #unopened(): Failure {
    const waited = `${String(Math.round(this.#ctx.timings.openMs / 1_000))} s`;
    const message = `The program was started, but opened no session within ${waited}.`;
    return { kind: this.#session.isFormer ? 'session' : 'start', message, resetsAtMs: null };
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
