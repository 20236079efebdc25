import { DurableObject } from 'cloudflare:workers';
import type { Actor } from '../../actors/kernel/actor.ts';
import { OUT_OF_ORDER, type Envelope, type Receipt } from '../../actors/kernel/envelope.ts';
import type { EffectOutcome } from '../../actors/kernel/program.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Fact } from '../../core/facts.ts';
import { townMoved } from '../../core/town-moved.ts';
import type { OutboxRow } from '../../store/kernel-store.ts';
import type { Migration } from '../../store/migrate.ts';
import { parseJson } from '../../store/rows.ts';
import type { FileStore } from '../../settings/town-file.ts';
import type { DurableState } from './durable.ts';
import { stubOf, type Env } from './env.ts';
import { ObjectMove } from './object-move.ts';
import { objectPorts, type ObjectPorts } from './object-ports.ts';
import { answer, refusal, type ActorStub, type Answer } from './rpc.ts';
import { StorageSql } from './sql-storage.ts';
import { Watched } from './watched.ts';

/** An actor that could not be opened is tried again after this long; whoever asks meanwhile tries too. */
const OPEN_AGAIN_MS = 60_000;
/** Below the deadline of an effect, after which the same message would be sent beside this one. */
const DELIVER_TIMEOUT_MS = 10_000;

/** What lives in an object: an actor, and what may be asked of it by name. */
export interface Hosted {
  readonly actor: Actor;
  readonly target: object;
  /** After a move: what the rows do not say is applied, and facts that were on their way are recorded. */
  readonly resumed?: (facts: readonly Fact[]) => Promise<void>;
  /** After the actor was opened, before anything is asked. */
  readonly opened?: () => Promise<void>;
}

/**
 * A Durable Object that is one actor: its storage is the actor's database, its alarm the actor's wake-up. It holds
 * nothing that is not in its database, since it is put away after some seconds without a call and made anew.
 */
export abstract class ActorObject<H extends Hosted = Hosted> extends DurableObject<DurableState, Env> {
  protected readonly host: ObjectPorts;
  #hosted: H | null = null;
  /** Whoever asks while the actor opens waits for the same one: two of them on one database would each lose rows. */
  #opening: Promise<H> | null = null;
  #closings = 0;
  readonly #watched: Watched;
  readonly #move: ObjectMove;

  constructor(ctx: DurableState, env: Env) {
    super(ctx, env);
    const after = (delayMs: number, work: () => void): unknown => this.host.ports.after(delayMs, work);
    this.#watched = new Watched(ctx.storage.kv, () => env.STREAM.getByName(env.GT_TOWN_ID), after);
    this.host = objectPorts({
      storage: ctx.storage,
      sql: new StorageSql(ctx.storage),
      capabilityKey: env.GT_CAPABILITY_KEY,
      instead: {
        afterTurn: (address) => {
          this.#watched.turned(address);
        },
        ...this.instead(),
      },
      onAlso: () => {
        this.woken();
      },
    });
    this.#move = new ObjectMove({
      storage: ctx.storage,
      sql: this.host.ports.openSql(''),
      migrations: () => this.migrations(),
      file: () => this.file(),
      close: () => {
        this.#hosted?.actor.close();
        this.#hosted = null;
        this.#opening = null;
        this.#closings += 1;
      },
      open: async (facts) => {
        const hosted = await this.open();
        await hosted.resumed?.(facts);
      },
    });
    // A throw here would reset the object, and the platform gives up an alarm whose object can't be made.
    void ctx.blockConcurrencyWhile(() =>
      this.#openUnlessHeld().then(
        () => undefined,
        (error: unknown) => {
          this.host.ports.log.error('actor not opened', { cause: String(error) });
        },
      ),
    );
  }

  /** Makes the actor of this object; called once per life, when the ports are there. */
  protected abstract make(): H;

  /** Of the actor's schema. */
  protected abstract migrations(): readonly Migration[];

  /** The settings that this object keeps, if it is the town's. */
  protected file(): FileStore | null {
    return null;
  }

  /** The name under which others find this object; kept, since an alarm need not bring it along. */
  protected name(): string {
    const { kv } = this.ctx.storage;
    const name = this.ctx.id.name ?? kv.get('name');
    if (typeof name !== 'string') throw new Error('this object was called without a name');
    if (kv.get('name') !== name) kv.put('name', name);
    return name;
  }

  /** When this object was made. */
  protected createdAtMs(): number {
    const { kv } = this.ctx.storage;
    const known = kv.get('createdAtMs');
    if (typeof known === 'number') return known;
    const nowMs = this.host.ports.clock.now();
    kv.put('createdAtMs', nowMs);
    return nowMs;
  }

  protected isHeld(): boolean {
    return this.#move.isHeld();
  }

  /** The alarm rang for what the object asked for beside its actor. */
  protected woken(): void {
    // Nothing, but for who asks.
  }

  /** Ports that are not the platform's own. */
  protected instead(): Partial<HostPorts> {
    return {};
  }

  async call(path: readonly string[], args: readonly unknown[]): Promise<Answer> {
    if (this.#move.isHeld()) return refusal(townMoved());
    const { actor, target } = await this.open();
    actor.rearm();
    return answer(target, path, args);
  }

  /** A step of a move of this object's rows from or to another host. */
  transfer(verb: string, args: readonly unknown[]): Promise<Answer> {
    return answer(this.#move, [verb], args);
  }

  async receive(envelope: Envelope): Promise<Receipt> {
    const { actor } = await this.open();
    actor.rearm();
    return actor.receive(envelope);
  }

  /** Somebody reads the live stream. */
  watch(): Promise<void> {
    this.#watched.watch();
    return Promise.resolve();
  }

  /** Never throws: the seventh throw in a row would end the loop for ever. */
  async alarm(): Promise<void> {
    if (this.#move.isHeld()) return;
    try {
      const { actor } = await this.open();
      // An empty record is a place in the turn that the alarm makes: it ends after the commit.
      await this.host.alarm().ring(() => actor.record([]));
    } catch (error) {
      this.host.ports.log.error('actor not opened by its alarm', { cause: String(error) });
      await this.ctx.storage.setAlarm(this.host.ports.clock.now() + OPEN_AGAIN_MS);
    }
  }

  async #openUnlessHeld(): Promise<void> {
    if (!this.#move.isHeld()) await this.open();
  }

  /** Makes the actor when nobody did so far. Errors: `town_moved`; its storage can't be opened. */
  protected open(): Promise<H> {
    // Once the actor is open it is asked, also while the lines of its runners are looked at.
    if (this.#hosted !== null) return Promise.resolve(this.#hosted);
    if (this.#opening !== null) return this.#opening;
    const opening: Promise<H> = this.#make().catch((error: unknown) => {
      if (this.#opening === opening) this.#opening = null;
      throw error;
    });
    this.#opening = opening;
    return opening;
  }

  async #make(): Promise<H> {
    if (this.#move.isHeld()) throw townMoved();
    const closings = this.#closings;
    const hosted = this.make();
    await hosted.actor.open();
    // A move may have begun, and ended, meanwhile; it saw no actor that it could close.
    if (closings !== this.#closings) {
      hosted.actor.close();
      throw townMoved();
    }
    this.#hosted = hosted;
    await hosted.opened?.();
    return hosted;
  }

  /** Hands a message to its receiver; done only after the receiver's commit. */
  protected readonly deliver = async (row: OutboxRow): Promise<EffectOutcome> => {
    const envelope = parseJson<Envelope>(row.payload);
    const receipt = await this.#within(this.#stubOf(envelope.to).receive(envelope));
    return receipt === 'gap' ? OUT_OF_ORDER : { state: 'done' };
  };

  #stubOf(address: string): ActorStub {
    return stubOf(this.env, address);
  }

  /** A call to an object that hangs would hold its place for ever. */
  #within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.host.ports.after(DELIVER_TIMEOUT_MS, () => {
        reject(new Error('the receiver does not answer'));
      });
      work.then(resolve, reject).finally(cancel);
    });
  }
}
