/** The whole town in this process on a virtual clock: real application, real actors, real SQLite, no network. */
import { DatabaseSync } from 'node:sqlite';
import { createApp } from '../../src/api/app.ts';
import { mintCapability } from '../../src/api/capability.ts';
import { SignIn } from '../../src/api/sign-in.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { AGENT_VERBS, MAYOR_VERBS } from '../../src/core/queries.ts';
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import { silentLog } from '../../src/ports/log.ts';
import { human, newBead, newConvoy, newTask } from '../support/town-story.ts';
import { noFigures } from '../support/no-figures.ts';
import { made } from '../support/replay-made.ts';
import { CountingSql, rigConfig, VirtualTown } from '../support/virtual-town.ts';
import type { Document } from './document.ts';
import { learnPool, Pool, type Side, type WireRequest } from './side.ts';
import type { Reply } from './judge.ts';

const KEY = 'k'.repeat(43);
const OWNER = 'owner-secret';
const RUNNER = 'runner-secret';
const HOUR_MS = 3_600_000;
/** Accepted calls after which the town's clock goes on, so that timers and retries come too. */
const CALLS_A_STEP = 40;
const STEP_MS = 20_000;
/** The newest attempts; older ones are like them. */
const ATTEMPTS_KNOWN = 12;
/** Turns of the event loop in which every call that does not wait is answered. */
const PATIENCE_TURNS = 200;
const WAIT_STEP_MS = 5_000;
/** Longer than any wait that a caller may ask for. */
const WAIT_STEPS_MAX = 100;
/** Stands for an answer that never came. */
const NEVER_ANSWERED = 599;

type Recording = ReturnType<DatabaseSync['createSession']>;

/** SQLite itself tells whether rows of a database are other than they were; what was undone counts for nothing. */
class Watch {
  readonly #recorded = new Map<DatabaseSync, Recording>();

  open(): DatabaseSync {
    const db = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
    this.#recorded.set(db, db.createSession());
    return db;
  }

  changed(): boolean {
    return [...this.#recorded.values()].some((recording) => recording.changeset().length > 0);
  }

  begin(): void {
    for (const [db, recording] of this.#recorded) {
      recording.close();
      this.#recorded.set(db, db.createSession());
    }
  }

  close(): void {
    for (const [db, recording] of this.#recorded) {
      recording.close();
      db.close();
    }
  }
}

async function makeTown(watch: Watch): Promise<VirtualTown> {
  let virtual: VirtualTown | null = null;
  virtual = new VirtualTown({
    ports: (plain) => ({
      ...plain,
      openSql: (address) => {
        virtual?.databases.set(address, virtual.databases.get(address) ?? new CountingSql(SqliteSql.of(watch.open())));
        return plain.openSql(address);
      },
    }),
    handOver: async (runner) => {
      await virtual?.service.recordFacts(runner.facts.splice(0));
    },
  });
  const { service } = virtual;
  await service.start(['api', 'web'].map((name) => rigConfig(name)));
  await service.configureMayor({
    runtime: 'command',
    model: null,
    command: 'x',
    wallClockMs: HOUR_MS,
    ownerEmail: 'o@example.org',
  });
  const first = await service.createBead(newBead('first'), human);
  await service.createBead(newBead('second', { dependsOn: [first.id] }), human);
  for (let at = 0; at < 3; at += 1) {
    await service.createBead(newBead('staged', { sling: false }), human);
    await service.createBead(newBead('waits', { dependsOn: [first.id] }), human);
    await service.createConvoy(
      newConvoy({ tasks: [newTask('api', 'a'), newTask('web', 'b', [0])], staged: true }),
      human,
    );
  }
  await service.createConvoy(newConvoy({ tasks: [newTask('api', 'a'), newTask('web', 'b', [0])] }), human);
  await service.mayor.message('hello', human);
  await virtual.settle();
  return virtual;
}

export async function virtualSide(): Promise<Side> {
  const watch = new Watch();
  const virtual = await makeTown(watch);
  const { service } = virtual;
  const clock = { now: (): number => virtual.nowMs };
  const signIn = new SignIn(clock.now);
  const app = createApp({
    gateway: service,
    auth: { owner: OWNER, brainCalls: RUNNER, capabilityKey: KEY, ownerActor: 'human/owner' },
    clock,
    log: silentLog,
    loopbackOnly: false,
    ready: () => true,
    addRig: ({ name }) => service.addRig(rigConfig(name)),
    changeRig: (name, settings) => service.addRig(rigConfig(name, { parked: settings.parked ?? false })),
    removeRig: (name, drain, caller) => service.removeRig(name, drain, caller),
    transcript: () => Promise.resolve({ text: 'out', nextOffset: 3 }),
    runnerLine: { drain: () => Promise.resolve() },
    web: { signIn, file: () => Promise.resolve(null), figures: noFigures },
  });
  const pool = new Pool();
  const tokens = new Map<string, string>();
  let rests = 0;

  const answered = async (work: Promise<Response>): Promise<Response> => {
    let isDone = false;
    work
      .finally(() => {
        isDone = true;
      })
      .catch(() => undefined);
    for (let at = 0; at < PATIENCE_TURNS && !isDone; at += 1) await new Promise((resolve) => setImmediate(resolve));
    // It waits for something: here time only goes on when it is told to. What else that brings about is not the caller's.
    for (let at = 0; !isDone; at += 1) {
      if (at > WAIT_STEPS_MAX) return new Response(null, { status: NEVER_ANSWERED });
      await virtual.advance(WAIT_STEP_MS);
      watch.begin();
    }
    return work;
  };
  const ask = async ({ method, path, headers, body }: WireRequest): Promise<Reply> => {
    const init = { method, headers, ...(body === null ? {} : { body }) };
    const answer = await answered(Promise.resolve(app.request(`http://localhost${path}`, init)));
    return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() };
  };
  const mint = async (): Promise<void> => {
    tokens.clear();
    const live = [...virtual.runner.processes.values()]
      .filter(({ state }) => state === 'running')
      .map(({ request }) => request);
    const expiresAtMs = virtual.nowMs + HOUR_MS;
    const mayor = live.find(({ agent }) => agent === 'mayor/');
    if (mayor !== undefined)
      tokens.set(
        'mayor',
        await mintCapability(
          {
            role: 'mayor',
            town: service.id,
            attempt: trusted.attempt(mayor.attempt),
            epoch: mayor.epoch,
            sitting: mayor.round,
            verbs: [...MAYOR_VERBS],
            expiresAtMs,
          },
          KEY,
        ),
      );
    const one = live.find(({ agent }) => agent !== 'mayor/');
    if (one !== undefined)
      tokens.set(
        'agent',
        await mintCapability(
          {
            town: service.id,
            rig: trusted.rig(one.rig),
            agent: trusted.agent(one.agent),
            bead: trusted.bead(one.bead),
            attempt: trusted.attempt(one.attempt),
            epoch: one.epoch,
            verbs: [...AGENT_VERBS],
            expiresAtMs,
          },
          KEY,
        ),
      );
  };
  const learn = async (): Promise<void> => {
    const get = (path: string): Promise<Reply> =>
      ask({ method: 'GET', path, headers: { authorization: `Bearer ${OWNER}` }, body: null });
    pool.learn(await learnPool(get, [...virtual.runner.processes.keys()].slice(-ATTEMPTS_KNOWN)));
  };
  const rest = async (): Promise<void> => {
    rests += 1;
    if (rests % CALLS_A_STEP === 0) {
      await virtual.advance(STEP_MS);
      await learn();
    } else await virtual.settle();
    await mint();
    watch.begin();
  };
  await learn();
  await mint();
  watch.begin();
  return {
    isAlone: true,
    document: async () =>
      JSON.parse((await ask({ method: 'GET', path: '/openapi.json', headers: {}, body: null })).text) as Document,
    send: ask,
    token: (credential) =>
      credential === 'owner' ? OWNER : credential === 'runner' ? RUNNER : (tokens.get(credential) ?? null),
    pick: (kind, at) => pool.pick(kind, at),
    changed: () => Promise.resolve(watch.changed()),
    rest,
    quiet: rest,
    close: () => {
      service.stop();
      // What a fuzz made of a town must come out the same when it is run again, like every other history.
      virtual.replay();
      made.delete(virtual);
      watch.close();
      return Promise.resolve();
    },
  };
}
