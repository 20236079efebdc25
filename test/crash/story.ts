/** Words for histories that must come to the same end wherever the brain dies: each waits for what it needs, never for a time. */
import type { TownService } from '../../src/actors/town-service.ts';
import type { BeadCommand, Caller, CreateBead, CreateConvoy, RigConfig } from '../../src/core/commands.ts';
import type { ExitRecord, Job, JobResult } from '../../src/core/facts.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { Capability, ConvoyDetail } from '../../src/core/queries.ts';
import { defaultResult, sha, type FakeProcess } from '../support/fake-runner.ts';
import { newBead, newConvoy } from '../support/town-story.ts';
import type { CrashTown } from './crash-town.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

export interface History {
  readonly name: string;
  readonly rigs: Readonly<Record<string, Partial<RigConfig>>>;
  readonly tell: (story: Story) => Promise<void>;
  /** Hours of virtual time: too slow for the unit tests, told by the command only. */
  readonly slow?: boolean;
}

/** Something did not happen although all the time it may take went by. */
export class Stuck extends Error {
  override readonly name = 'Stuck';
}

/** Steps of time while something is waited for: to the next alarm, within these bounds (waiting callers have no alarm). */
const STEP_MIN_MS = 1_000;
const STEP_MAX_MS = 15_000;
/** Longer than every deadline of a single step: a claim's ten minutes, the takeover, a breaker's back-off. */
const PATIENCE_MS = 15 * 60_000;

export class Story {
  readonly town: CrashTown;
  /** Results that the history wants instead of the usual ones; the first that answers counts. */
  readonly verdicts: ((job: Job) => JobResult | null)[] = [];
  #asked = 0;
  #heads = 0x100;

  constructor(town: CrashTown) {
    this.town = town;
    this.virtual.runner.judge = (job) => {
      for (const verdict of this.verdicts) {
        const result = verdict(job);
        if (result !== null) return result;
      }
      return defaultResult(job);
    };
  }

  get virtual(): VirtualTown {
    return this.town.virtual;
  }

  /** One request of a person, repeated under its key until somebody answers it. */
  async ask<T>(work: (service: TownService, caller: Caller) => Promise<T>): Promise<T> {
    this.#asked += 1;
    const caller: Caller = { actor: 'human/test', origin: 'human', idempotencyKey: `ask-${String(this.#asked)}` };
    let answer: { readonly value: T } | { readonly error: unknown } | null = null;
    this.town
      .outlive((service) => work(service, caller))
      .then(
        (value) => {
          answer = { value };
        },
        (error: unknown) => {
          answer = { error };
        },
      );
    const given = await this.until('an answer', () => answer);
    if ('error' in given) throw given.error;
    return given.value;
  }

  /** Lets time go by until `look` finds something. Errors: `Stuck`. */
  async until<T>(what: string, look: () => T | null | Promise<T | null>, patienceMs = PATIENCE_MS): Promise<T> {
    await this.town.settle();
    const untilMs = this.virtual.nowMs + patienceMs;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (this.virtual.nowMs > untilMs) break;
      const alarmMs = this.virtual.nextAlarmMs() ?? Infinity;
      await this.town.advance(Math.min(STEP_MAX_MS, Math.max(STEP_MIN_MS, alarmMs - this.virtual.nowMs)));
    }
    throw new Stuck(`waited ${String(patienceMs / 60_000)} minutes for ${what}`);
  }

  async sling(title: string, over: Partial<CreateBead> = {}): Promise<BeadId> {
    return (await this.ask((service, caller) => service.createBead(newBead(title, over), caller))).id;
  }

  convoy(over: Partial<CreateConvoy>): Promise<ConvoyDetail> {
    return this.ask((service, caller) => service.createConvoy(newConvoy(over), caller));
  }

  order(command: BeadCommand): Promise<unknown> {
    return this.ask((service, caller) => service.beadCommand(command, caller));
  }

  /** The process that works on the bead of this title, or on its rework. */
  running(title: string): Promise<FakeProcess> {
    return this.until(
      `an agent on ${title}`,
      () => this.virtual.runner.running().find(({ request }) => request.title === title) ?? null,
    );
  }

  /** What the process that runs shows on its calls, once the brain knows that it runs. */
  async capability(title: string): Promise<Capability> {
    const { request } = await this.running(title);
    const agent = trusted.agent(request.agent);
    return {
      town: 't',
      rig: trusted.rig(request.rig),
      agent,
      bead: trusted.bead(request.bead),
      attempt: trusted.attempt(request.attempt),
      epoch: request.epoch,
      verbs: [],
      expiresAtMs: 0,
    };
  }

  /** The agent commits, calls done and leaves; answers its head. */
  async finish(title: string): Promise<string> {
    const { request } = await this.running(title);
    this.#heads += 1;
    const head = sha(this.#heads);
    this.virtual.runner.done(request.attempt, head);
    this.virtual.runner.exit(request.attempt, { head });
    await this.town.settle();
    return head;
  }

  async end(title: string, how: Partial<ExitRecord>): Promise<void> {
    const { request } = await this.running(title);
    this.virtual.runner.exit(request.attempt, how);
    await this.town.settle();
  }

  async fail(title: string, lastLine: string): Promise<void> {
    await this.end(title, { exitCode: 1, lastLine });
  }

  async ended(bead: BeadId): Promise<void> {
    await this.until(`the end of ${bead}`, async () => {
      const { status } = await this.virtual.service.getBead(bead);
      return status === 'closed' || status === 'failed' ? true : null;
    });
  }

  async convoyIs(convoy: ConvoyDetail, status: ConvoyDetail['status']): Promise<void> {
    await this.until(`the convoy to be ${status}`, async () =>
      (await this.virtual.service.getConvoy(convoy.id)).status === status ? true : null,
    );
  }

  /** Nothing is under way any more: no effect waits, no fact, no process runs. */
  async rest(): Promise<void> {
    await this.until('rest', () => (this.#busy() ? null : true));
  }

  #busy(): boolean {
    const { virtual } = this;
    if (virtual.runner.facts.length > 0 || virtual.runner.running().length > 0) return true;
    for (const [address, { inner }] of virtual.databases) {
      const has = (query: string): boolean => inner.all(`SELECT 1 AS one FROM ${query} LIMIT 1`).length > 0;
      if (has(`outbox WHERE state = 'pending'`) || has(`inbox WHERE state = 'pending'`)) return true;
      if (address === 'town') continue;
      if (has('attempts WHERE ended_at IS NULL OR process_gone = 0')) return true;
      if (address !== 'mayor' && has(`agents WHERE status <> 'idle'`)) return true;
    }
    return false;
  }
}
