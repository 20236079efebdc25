/** A rig actor to measure: on a file or in memory, with a history and with agents that run. */
import { RigActor } from '../src/actors/rig/rig-actor.ts';
import { SqliteSql } from '../src/hosts/node/sql-sqlite.ts';
import type { HostPorts } from '../src/ports/host.ts';
import { silentLog } from '../src/ports/log.ts';
import type { Sql } from '../src/ports/sql.ts';
import { FakeRunner } from '../test/support/fake-runner.ts';
import { human, newBead } from '../test/support/town-story.ts';
import { rigConfig } from '../test/support/virtual-town.ts';

const NOW_MS = 2_000_000_000_000;

function ports(sql: Sql, runner: FakeRunner): HostPorts {
  let seed = 1;
  return {
    clock: { now: () => NOW_MS },
    random: {
      bytes: (count) => Uint8Array.from({ length: count }, () => (seed = (seed * 48_271) % 2_147_483_647) & 255),
    },
    log: silentLog,
    runner,
    openSql: () => sql,
    openAlarm: () => ({ set: () => undefined }),
    defer: (work) => {
      setImmediate(work);
    },
    after: () => () => undefined,
    mintCapability: () => Promise.resolve(''),
  };
}

export interface BenchRig {
  readonly rig: RigActor;
  readonly sql: Sql;
  readonly runner: FakeRunner;
}

export interface RigSize {
  /** Issues and merge requests that ended, with attempts and journal. */
  readonly closed: number;
  readonly polecatsMax?: number;
  /** Where the database lies; in memory without it. */
  readonly path?: string;
}

export async function openRig({ closed, polecatsMax = 4, path = ':memory:' }: RigSize): Promise<BenchRig> {
  const sql = SqliteSql.open(path, { readOnly: false });
  const runner = new FakeRunner(() => NOW_MS);
  const rig = new RigActor({
    address: 'rig/api',
    town: 'bench',
    ports: ports(sql, runner),
    sql,
    createdAtMs: 0,
    deliver: () => Promise.resolve({ state: 'done' }),
  });
  await rig.actor.open();
  await rig.configure(rigConfig('api', { polecatsMax }));
  addHistory(sql, closed);
  return { rig, sql, runner };
}

/** Beads that ended long ago, put into a rig's database from outside. */
export function addHistory(sql: Sql, closed: number): void {
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 0 + ?)`;
  sql.tx(() => {
    sql.all(
      `INSERT INTO agents (id, role, name, status, created_at, updated_at) VALUES ('api/polecats/old', 'polecat', 'old', 'dead', 1, 1)`,
    );
    if (closed === 0) return;
    sql.all(
      `${numbers} INSERT INTO beads (id, type, kind, title, body, origin, priority, status, target_branch, queue_key, created_by, close_reason, evidence, created_at, updated_at, closed_at)
        SELECT 'api-x' || i, CASE i % 2 WHEN 0 THEN 'issue' ELSE 'merge_request' END, 'task', 'done ' || i, '', 'human', 'medium', 'closed', 'main', i, 'human/x', 'merged', '{"mergeSha":"1"}', i, i, i FROM n`,
      closed,
    );
    sql.all(
      `${numbers} INSERT INTO attempts (id, bead_id, source_bead_id, agent_id, epoch, runtime, round, started_at, ended_at, outcome, process_gone)
        SELECT 'at-' || i, 'api-x' || i, 'api-x' || i, 'api/polecats/old', -i, 'script', 0, i, i, 'done', 1 FROM n`,
      closed,
    );
    sql.all(
      `${numbers} INSERT INTO journal (tick, at, entity, action, rule, reason) SELECT i, i, 'bead:api-x' || i, 'merged', 'merge-step', 'it arrived' FROM n`,
      closed,
    );
  });
}

/** Slings beads and lets their agents start; answers the live attempts. */
export async function runAgents(
  { rig, sql, runner }: BenchRig,
  count: number,
): Promise<readonly { readonly id: string; readonly epoch: number }[]> {
  for (let n = 0; n < count; n += 1) await rig.createBead(newBead(`agent ${String(n)}`), human);
  for (let round = 0; round < 3 * count + 10; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (runner.facts.length > 0) await rig.recordFacts(runner.facts.splice(0));
  }
  return sql
    .all('SELECT id, epoch FROM attempts WHERE ended_at IS NULL ORDER BY epoch')
    .map((row) => ({ id: String(row['id']), epoch: Number(row['epoch']) }));
}

/** A sign of life of an agent, as its runner sends it. */
export const signOfLife = (attempt: { readonly id: string; readonly epoch: number }, n: number) =>
  ({
    type: 'agent_event',
    key: `event:${attempt.id}:${String(n)}`,
    rig: 'api',
    attempt: attempt.id,
    epoch: attempt.epoch,
    eventType: 'output',
    atMs: NOW_MS + n,
    activeTools: [],
    statusMessage: null,
  }) as const;

export async function timed(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
