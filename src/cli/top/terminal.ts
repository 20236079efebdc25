import { TownError } from '../../core/errors.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { plain, type Style } from '../output.ts';
import { keysOf, press, type Wish } from './keys.ts';
import { isGone, type Reader } from './reader.ts';
import { screenOf, type Size } from './screen.ts';
import { START, type LinkWord, type TopState } from './state.ts';

/** Changes within this time are read again together. */
const GATHER_MS = 150;
/** At most so long is waited for a town that takes long to answer. */
const REST_MAX_MS = 5_000;
/** After a stream ended or could not be opened it is opened again. */
const AGAIN_MS = 1_000;
/** A town elsewhere, whose stream is not followed. */
const READ_EVERY_MS = 2_000;
/** Ages are shown by the second at first. */
const CLOCK_MS = 1_000;
/** What a terminal that does not say its size has. */
const SIZE_DEFAULT: Size = { columns: 80, rows: 24 };

const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l';

/** The live screen: draws what is other than before, and gives the terminal back however it ends. */
export class Terminal {
  readonly #context: Context;
  readonly #reader: Reader;
  #state: TopState = START;
  #drawn: readonly string[] = [];
  #isReading = false;
  #isStale = false;
  #tookMs = 0;
  #end: ((code: number) => void) | null = null;

  constructor(context: Context, reader: Reader) {
    this.#context = context;
    this.#reader = reader;
  }

  /** Resolves with the exit code. Errors: those of a town that refuses. */
  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => (this.#end = resolve));
    const { stdin, stdout } = process;
    const onKeys = (input: string): void => {
      for (const key of keysOf(input)) this.#press(key);
    };
    const onResize = (): void => {
      this.#drawn = [];
      stdout.write('\x1b[2J');
      this.#draw();
    };
    const onSignal = (signal: NodeJS.Signals): void => {
      this.#end?.(signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated);
    };
    // Whatever ends the program, the terminal is a person's again.
    const restore = (): void => {
      stdout.write(LEAVE_SCREEN);
      if (stdin.isTTY) stdin.setRawMode(false);
    };
    process.once('exit', restore);
    stdout.write(ENTER_SCREEN);
    stdin.setRawMode(true).setEncoding('utf8').on('data', onKeys);
    stdout.on('resize', onResize);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, onSignal);
    const clock = setInterval(() => {
      this.#draw();
    }, CLOCK_MS);
    this.#draw();
    void this.#follow();
    const code = await ended;
    clearInterval(clock);
    stdin.off('data', onKeys).pause();
    stdout.off('resize', onResize);
    process.off('exit', restore);
    restore();
    // The stream and reads under way keep no terminal waiting.
    setImmediate(() => process.exit(code));
    return code;
  }

  #style(): Style {
    return { ...this.#context.style, nowMs: Date.now() };
  }

  #set(change: Partial<TopState>): void {
    this.#state = { ...this.#state, ...change };
    this.#draw();
  }

  #say(word: LinkWord, asOfMs = this.#state.link.asOfMs): void {
    this.#set({ link: { word, asOfMs } });
  }

  /** Nothing can be read, and only a person can change that: with the reason and the next step. */
  #refuse(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const reason = [message, ...(error instanceof TownError ? [error.next] : [])].map(plain);
    this.#set({ link: { word: 'Refused', asOfMs: this.#state.link.asOfMs, reason } });
  }

  #draw(): void {
    const { columns, rows } = process.stdout;
    const size = { columns: columns || SIZE_DEFAULT.columns, rows: rows || SIZE_DEFAULT.rows };
    const lines = screenOf(this.#state, size, this.#style());
    const changed = lines.flatMap((line, at) =>
      line === this.#drawn[at] ? [] : [`\x1b[${String(at + 1)};1H\x1b[K${line}`],
    );
    this.#drawn = lines;
    if (changed.length > 0) process.stdout.write(changed.join(''));
  }

  #press(key: string): void {
    if (key === 'interrupt') {
      this.#end?.(EXIT.interrupted);
      return;
    }
    const { state, wish } = press(this.#state, key, this.#style());
    this.#state = state;
    this.#draw();
    if (wish !== null) void this.#grant(wish);
  }

  async #grant(wish: Wish): Promise<void> {
    if (wish.type === 'quit') {
      this.#end?.(EXIT.ok);
      return;
    }
    const title = `${wish.type === 'why' ? 'Why' : 'Open'}: ${plain(wish.subject)}`;
    this.#set({ sheet: { kind: 'lines', title, lines: ['…'] }, sheetFrom: 0 });
    const lines = await this.#reader
      [wish.type](wish.subject)
      .catch((error: unknown) => [
        plain(error instanceof Error ? error.message : String(error)),
        ...(error instanceof TownError ? [plain(error.next)] : []),
      ]);
    // Meanwhile it may have been closed, or another opened.
    const { sheet } = this.#state;
    if (sheet?.kind === 'lines' && sheet.title === title) this.#set({ sheet: { kind: 'lines', title, lines } });
  }

  /** Reads what there is, then follows; whatever goes wrong is shown and tried again. */
  async #follow(): Promise<never> {
    for (;;) {
      try {
        const cursor = await this.#reader.cursor();
        await this.#readNow();
        await this.#listen(cursor);
      } catch (error) {
        if (isGone(error)) this.#say('Offline');
        else this.#refuse(error);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  async #listen(cursor: string): Promise<void> {
    // What was read of the databases is old: its daemon is away.
    if (this.#reader.isAway) return;
    if (!this.#reader.hasStream) {
      this.#say('Reading', Date.now());
      await new Promise((resolve) => setTimeout(resolve, READ_EVERY_MS));
      return;
    }
    for await (const frame of this.#reader.frames(cursor)) {
      if (frame.type === 'bye') return;
      this.#say('Live', Date.now());
      if (frame.type === 'delta' || frame.type === 'reset') this.#soon();
    }
    this.#say('Offline');
  }

  /** Once for all that changed meanwhile; later when the town takes longer. */
  #soon(): void {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    const restMs = Math.min(REST_MAX_MS, (1 + Math.random()) * this.#tookMs);
    setTimeout(() => void this.#readAgain(), GATHER_MS + restMs);
  }

  async #readAgain(): Promise<void> {
    this.#isStale = false;
    const began = performance.now();
    await this.#readNow().catch(() => {
      this.#say('Offline');
    });
    this.#tookMs = performance.now() - began;
    this.#isReading = false;
    if (this.#isStale) this.#soon();
  }

  async #readNow(): Promise<void> {
    const town = await this.#reader.read();
    const isAway = this.#reader.isAway;
    const asOfMs = isAway ? (this.#state.link.asOfMs === 0 ? Date.now() : this.#state.link.asOfMs) : Date.now();
    const word = isAway ? 'Offline' : this.#state.link.word === 'Live' ? 'Live' : 'Catching up';
    this.#set({ town, link: { word, asOfMs } });
  }
}
