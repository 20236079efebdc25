/** The live stream of the product's Worker, read as a browser would: cut, resumed, put away, killed. */
import { WebSocket } from 'ws';
import type { StreamFrame } from '../../src/api/contract/stream.ts';
import type { FeedItem, JournalItem } from '../../src/api/contract/town.ts';
import { equal, runCase, type CaseResult } from './case.ts';

/** Without a call for ten seconds an object is put away; its sockets stay. */
const PUT_AWAY_MS = 13_000;
const WAIT_MS = 10_000;
/** As many frames as are sent to a reader that does not say what it has. */
const UNSAID_FRAMES = 200;

const placeOf = ({ actor, seq }: JournalItem): string => `${actor}:${String(seq)}`;

class SocketReader {
  readonly frames: StreamFrame[] = [];
  closed: number | null = null;
  readonly #socket: WebSocket;

  constructor(url: string, token: string, isSaying: boolean) {
    this.#socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    this.#socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as StreamFrame);
      if (isSaying) this.#socket.send(String(this.frames.length));
    });
    this.#socket.on('close', (code) => {
      this.closed = code;
    });
    this.#socket.on('error', () => {
      this.closed ??= 0;
    });
  }

  get cursor(): string | null {
    return this.frames.at(-1)?.cursor ?? null;
  }

  get items(): readonly JournalItem[] {
    return this.frames.flatMap((frame) => (frame.type === 'delta' ? frame.items : []));
  }

  /** The other side said that it ends. workerd leaves the connection itself to us, so it is cut here. */
  hasEnded(): boolean {
    if (this.#socket.readyState === WebSocket.CLOSING) this.#socket.terminate();
    return this.closed !== null;
  }

  cut(): void {
    this.#socket.terminate();
  }
}

async function until(check: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = Date.now() + WAIT_MS;
  while (!(await check())) {
    if (Date.now() > endMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export class StreamStory {
  readonly #url: () => string;
  readonly #owner: string;
  #last: { readonly cursor: string; readonly told: readonly string[] } | null = null;

  constructor(url: () => string, owner: string) {
    this.#url = url;
    this.#owner = owner;
  }

  /** `short`: without what takes longer than seconds. */
  async tell(short: boolean): Promise<readonly CaseResult[]> {
    const results = [
      await runCase({ name: 'tells every change once, cut and resumed', run: () => this.#cutAndResumed() }, null),
      await runCase(
        { name: 'is refused without a credential, and as anything but a WebSocket', run: () => this.#refused() },
        null,
      ),
      await runCase({ name: 'tells of a rig that came later', run: () => this.#laterRig() }, null),
    ];
    if (short) return results;
    return [
      ...results,
      await runCase({ name: 'goes on when its object was put away', run: () => this.#putAway() }, null),
      await runCase({ name: 'drops a reader that says nothing, which loses nothing', run: () => this.#slow() }, null),
    ];
  }

  afterKill(): Promise<CaseResult> {
    return runCase(
      {
        name: 'goes on after kill -9 of workerd',
        run: async () => {
          if (this.#last === null) throw new Error('no reader was there before');
          const reader = this.#open(this.#last.cursor);
          await this.#bead();
          const before = this.#last.told;
          await this.#hasAll(reader, before);
          reader.cut();
        },
      },
      null,
    );
  }

  #open(cursor: string | null, options: { readonly isSaying: boolean } = { isSaying: true }): SocketReader {
    const query = cursor === null ? '' : `?after=${cursor}`;
    return new SocketReader(
      `${this.#url().replace('http', 'ws')}/api/v1/towns/_/stream${query}`,
      this.#owner,
      options.isSaying,
    );
  }

  async #send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url()}/api/v1/towns/_/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#owner}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  #bead(rig = 'api'): Promise<{ readonly id: string }> {
    return this.#send('POST', 'beads', { rig, title: 'seen' });
  }

  async #journal(): Promise<readonly string[]> {
    const all: string[] = [];
    for (let cursor = ''; ;) {
      const page = await this.#send<FeedItem>('GET', `feed?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`);
      if (page.items.length === 0) return all;
      all.push(...page.items.map(placeOf));
      cursor = page.cursor;
    }
  }

  /** The reader is told what the journal has and `before` has not: each row once, each actor in order. */
  async #hasAll(reader: SocketReader, before: readonly string[]): Promise<void> {
    const known = new Set(before);
    const wanted = async (): Promise<readonly string[]> => (await this.#journal()).filter((row) => !known.has(row));
    await until(async () => reader.items.length >= (await wanted()).length, 'all rows');
    equal(reader.items.map(placeOf).toSorted(), (await wanted()).toSorted(), 'rows');
    const seqs = (actor: string): number[] => reader.items.filter((item) => item.actor === actor).map(({ seq }) => seq);
    for (const actor of new Set(reader.items.map((item) => item.actor)))
      equal(
        seqs(actor),
        seqs(actor).toSorted((a, b) => a - b),
        `order of ${actor}`,
      );
  }

  async #cutAndResumed(): Promise<void> {
    const before = await this.#journal();
    const { cursor } = await this.#send<FeedItem>('GET', 'feed?tail=1');
    const whole = this.#open(cursor);
    await until(() => whole.frames.length > 0, 'ready');
    const told: string[] = [];
    let at: string | null = cursor;
    for (let round = 0; round < 5; round += 1) {
      const reader = this.#open(at);
      await until(() => reader.frames.some((frame) => frame.type === 'ready'), 'ready');
      for (let times = 0; times < round; times += 1) await this.#bead();
      if (round % 2 === 1) await until(() => reader.items.length > 0, 'a row');
      reader.cut();
      told.push(...reader.items.map(placeOf));
      at = reader.cursor ?? at;
    }
    const rest = this.#open(at);
    await until(() => rest.frames.some((frame) => frame.type === 'ready'), 'ready');
    await this.#hasAll(whole, before);
    await this.#hasAll(rest, [...before, ...told]);
    equal([...told, ...rest.items.map(placeOf)].toSorted(), whole.items.map(placeOf).toSorted(), 'in parts and whole');
    this.#last = { cursor: whole.cursor ?? '', told: [...before, ...whole.items.map(placeOf)] };
    whole.cut();
    rest.cut();
  }

  async #refused(): Promise<void> {
    const stranger = new SocketReader(
      `${this.#url().replace('http', 'ws')}/api/v1/towns/_/stream`,
      'x'.repeat(32),
      false,
    );
    await until(() => stranger.closed !== null, 'a refusal');
    equal(stranger.frames, [], 'frames of a stranger');
    const plain = await fetch(`${this.#url()}/api/v1/towns/_/stream`, {
      headers: { authorization: `Bearer ${this.#owner}` },
    });
    equal(
      [plain.status, ((await plain.json()) as { code: string }).code],
      [422, 'websocket_needed'],
      'without an upgrade',
    );
  }

  async #laterRig(): Promise<void> {
    const reader = this.#open(null);
    await until(() => reader.frames.length > 0, 'ready');
    await this.#send('POST', 'rigs', { name: 'late', url: 'https://git.example.org/late.git', polecats_max: 1 });
    await this.#bead('late');
    await until(() => reader.items.some((item) => item.actor === 'rig/late'), 'a row of the new rig');
    reader.cut();
  }

  async #putAway(): Promise<void> {
    const before = await this.#journal();
    const reader = this.#open(null);
    await until(() => reader.frames.length > 0, 'ready');
    await new Promise((resolve) => setTimeout(resolve, PUT_AWAY_MS));
    equal(reader.closed, null, 'the socket stays');
    await this.#bead();
    await this.#hasAll(reader, before);
    reader.cut();
  }

  async #slow(): Promise<void> {
    const before = await this.#journal();
    const reader = this.#open(null, { isSaying: false });
    await until(() => reader.frames.length > 0, 'ready');
    for (let times = 0; times < 3 * UNSAID_FRAMES && !reader.hasEnded(); times += 1) {
      const seen = reader.frames.length;
      await this.#bead();
      await until(() => reader.frames.length > seen || reader.hasEnded(), 'a frame');
    }
    equal(reader.closed, 4_013, 'close code');
    equal(reader.frames.length <= UNSAID_FRAMES, true, 'no more than the limit was sent');
    const again = this.#open(reader.cursor);
    await this.#hasAll(again, [...before, ...reader.items.map(placeOf)]);
    again.cut();
  }
}
