import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePlaces, encodePlaces } from '../../core/places.ts';
import type { JournalEntry } from '../../core/queries.ts';
import type { StreamGateway, StreamPage } from '../../ports/stream-gateway.ts';
import type { StreamFrame } from '../contract/stream.ts';
import { EVERYTHING, filterOf, type StreamFilter } from './filter.ts';
import { FRAME_ROWS_MAX, StreamHub, type StreamReader } from './hub.ts';

const ACTORS = ['town', 'mayor', 'rig/app', 'rig/web'] as const;

/** Journals in memory that answer some microtasks later, so that everything happens between question and answer. */
class Journals implements StreamGateway {
  readonly rows = new Map<string, JournalEntry[]>(ACTORS.map((actor) => [actor, []]));
  readonly putAway = new Map<string, number>();
  reads = 0;

  write(actor: string, entity = 'bead:app-aaaaa'): void {
    const rows = this.rows.get(actor) ?? [];
    const seq = rows.length + 1;
    const known = { tick: seq, atMs: seq, action: 'set', rule: 'test', reason: '', from: null, to: null };
    rows.push({ ...known, actor, seq, entity });
  }

  async now(): Promise<string> {
    await this.#later();
    return encodePlaces(Object.fromEntries([...this.rows].map(([actor, rows]) => [actor, rows.length])));
  }

  async after(cursor: string, limit: number, actors?: readonly string[]): Promise<StreamPage> {
    this.reads += 1;
    await this.#later();
    const places = decodePlaces(cursor);
    const asked = ACTORS.filter((actor) => actors === undefined || actors.includes(actor));
    const items = asked.flatMap((actor) => (this.rows.get(actor) ?? []).slice(places[actor] ?? 0)).slice(0, limit);
    const isGap = asked.some((actor) => (places[actor] ?? 0) < (this.putAway.get(actor) ?? 0));
    for (const { actor, seq } of items) places[actor] = seq;
    return { items, cursor: encodePlaces(places), isGap, isMore: items.length === limit };
  }

  async #later(): Promise<void> {
    for (let times = 0; times < 3; times += 1) await Promise.resolve();
  }
}

/** Takes frames as a browser does: what it has seen, and the cursor to come again with. */
class Reader implements StreamReader<StreamFrame> {
  readonly filter: StreamFilter;
  readonly frames: StreamFrame[] = [];
  cursor: string | null = null;
  isOpen = true;

  constructor(filter: StreamFilter = EVERYTHING) {
    this.filter = filter;
  }

  send(frame: StreamFrame): boolean {
    if (!this.isOpen) return false;
    this.frames.push(frame);
    this.cursor = frame.cursor;
    return true;
  }

  room(): Promise<boolean> {
    return Promise.resolve(this.isOpen);
  }

  seen(actor: string): readonly number[] {
    const items = this.frames.flatMap((frame) => (frame.type === 'delta' ? frame.items : []));
    return items.filter((item) => item.actor === actor).map(({ seq }) => seq);
  }
}

function make() {
  const journals = new Journals();
  const due: (() => void)[] = [];
  const failed: unknown[] = [];
  let encoded = 0;
  const hub = new StreamHub<StreamFrame>({
    source: journals,
    encode: (frame) => {
      encoded += 1;
      return frame;
    },
    after: (_delayMs, work) => {
      due.push(work);
    },
    failed: (error) => failed.push(error),
  });
  const settle = async (): Promise<void> => {
    for (const work of due.splice(0)) work();
    await hub.flush();
  };
  const write = (actor: string, entity?: string): void => {
    journals.write(actor, entity);
    hub.changed(actor);
  };
  return { journals, hub, settle, write, failed, encoded: () => encoded };
}

const upTo = (last: number, after = 0): number[] => Array.from({ length: last - after }, (_, at) => after + at + 1);

const READERS = 5;

interface Act {
  readonly verb: string;
  readonly who: number;
  readonly actor: string;
}

/** Readers that come, are cut and come again while the journals grow. */
class Scene {
  readonly world = make();
  readonly #start: string;
  readonly #readers = new Map<number, Reader>();
  readonly #past: Reader[][] = Array.from({ length: READERS }, () => []);
  readonly #joins: Promise<void>[] = [];

  constructor(start: string) {
    this.#start = start;
  }

  act({ verb, who, actor }: Act): void {
    const times = verb === 'write' ? 1 : verb === 'many' ? FRAME_ROWS_MAX : 0;
    for (let at = 0; at < times; at += 1) this.world.write(actor);
    if (verb === 'join') this.#join(who);
    if (verb === 'cut') this.#cut(who);
    if (verb === 'settle') void this.world.settle();
  }

  async end(): Promise<void> {
    for (let who = 0; who < READERS; who += 1) this.#join(who);
    await Promise.all(this.#joins);
    await this.world.settle();
    await this.world.settle();
    for (let who = 0; who < READERS; who += 1) this.#cut(who);
  }

  told(who: number, actor: string): readonly number[] {
    return (this.#past[who] ?? []).flatMap((reader) => reader.seen(actor));
  }

  #join(who: number): void {
    if (this.#readers.has(who)) return;
    const reader = new Reader();
    reader.cursor = this.#past[who]?.at(-1)?.cursor ?? this.#start;
    this.#readers.set(who, reader);
    this.#joins.push(this.world.hub.join(reader, reader.cursor));
  }

  #cut(who: number): void {
    const reader = this.#readers.get(who);
    if (reader === undefined) return;
    reader.isOpen = false;
    this.world.hub.leave(reader);
    this.#past[who]?.push(reader);
    this.#readers.delete(who);
  }
}

describe('the hub of the live stream', () => {
  it('tells a reader without a cursor what happens from now on', async () => {
    const { hub, write, settle } = make();
    write('town');
    const reader = new Reader();
    await hub.join(reader, null);
    expect(reader.frames).toEqual([{ type: 'ready', cursor: 'g1.t.1.m.0.rapp.0.rweb.0' }]);
    write('rig/app');
    await settle();
    expect(reader.frames[1]).toMatchObject({ type: 'delta', items: [{ actor: 'rig/app', seq: 1 }] });
    expect(reader.seen('town')).toEqual([]);
  });

  it('loses and doubles nothing, whoever comes, goes, is cut and comes again', async () => {
    const verb = fc.constantFrom('write', 'write', 'write', 'many', 'join', 'join', 'cut', 'cut', 'settle', 'tick');
    const step = fc.record({ verb, who: fc.nat(READERS - 1), actor: fc.constantFrom(...ACTORS), ticks: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const scene = new Scene(await make().journals.now());
        for (const one of steps) {
          scene.act(one);
          // Between any question and its answer something else may happen.
          for (let ticks = 0; ticks < one.ticks; ticks += 1) await Promise.resolve();
        }
        await scene.end();
        const whole = ACTORS.map((actor) => upTo(scene.world.journals.rows.get(actor)?.length ?? 0));
        for (let who = 0; who < READERS; who += 1) expect(ACTORS.map((actor) => scene.told(who, actor))).toEqual(whole);
        expect(scene.world.failed).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads and encodes once for a hundred readers, and nothing without one', async () => {
    const { hub, write, settle, journals, encoded } = make();
    write('town');
    await settle();
    expect(journals.reads).toBe(0);
    const readers = Array.from({ length: 100 }, () => new Reader());
    for (const reader of readers) await hub.join(reader, null);
    const [reads, before] = [journals.reads, encoded()];
    write('rig/app');
    write('rig/app');
    await settle();
    expect([journals.reads - reads, encoded() - before]).toEqual([1, 1]);
    expect(readers.every((reader) => reader.seen('rig/app').length === 2)).toBe(true);
  });

  it('tells each reader only what its filter wants', async () => {
    const { hub, write, settle } = make();
    const filters = [
      { rig: ['web'] },
      { kind: ['bead'] },
      { entity: ['convoy:hq-cv-1'] },
      { actor: ['town'], kind: ['bead'] },
    ];
    const readers = filters.map((query) => new Reader(filterOf(query)));
    for (const reader of readers) await hub.join(reader, null);
    write('rig/web', 'agent:web/polecats/nux');
    write('rig/app', 'bead:app-aaaaa');
    write('town', 'convoy:hq-cv-1');
    write('town', 'bead:app-aaaaa');
    await settle();
    expect(
      readers.map((reader) =>
        reader.frames.flatMap((frame) => (frame.type === 'delta' ? frame.items.map((item) => item.entity) : [])),
      ),
    ).toEqual([
      ['agent:web/polecats/nux'],
      ['bead:app-aaaaa', 'bead:app-aaaaa'],
      ['convoy:hq-cv-1'],
      ['bead:app-aaaaa'],
    ]);
  });

  it('says so when what was missed is not there any more, and goes on from now', async () => {
    const { hub, write, settle, journals } = make();
    const cursor = await journals.now();
    for (let times = 0; times < 5; times += 1) write('rig/app');
    journals.putAway.set('rig/app', 3);
    const reader = new Reader();
    await hub.join(reader, cursor);
    write('rig/app');
    await settle();
    expect(reader.frames.map((frame) => frame.type)).toEqual(['reset', 'ready', 'delta']);
    expect(reader.seen('rig/app')).toEqual([6]);
  });

  it('drops a reader that takes nothing; the others get everything, and it goes on where it was', async () => {
    const { hub, write, settle } = make();
    const [slow, quick] = [new Reader(), new Reader()];
    await hub.join(slow, null);
    await hub.join(quick, null);
    slow.isOpen = false;
    write('town');
    await settle();
    expect([hub.readers, quick.seen('town')]).toEqual([1, [1]]);
    const again = new Reader();
    await hub.join(again, slow.cursor);
    expect(again.seen('town')).toEqual([1]);
  });

  it('sends everybody away when the journals can not be read, so that nobody waits in vain', async () => {
    const { hub, write, settle, journals, failed } = make();
    const reader = new Reader();
    await hub.join(reader, null);
    journals.after = () => Promise.reject(new Error('disk'));
    write('town');
    await settle();
    expect(reader.frames.at(-1)).toMatchObject({ type: 'bye', cursor: reader.frames[0]?.cursor });
    expect([hub.readers, failed.length]).toEqual([0, 1]);
  });

  it('refuses a cursor that is none', async () => {
    const { hub } = make();
    await expect(hub.join(new Reader(), 'nonsense')).rejects.toThrow('does not come from here');
  });
});
