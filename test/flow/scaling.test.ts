/** What runs all the time costs what is alive: shown by the plans of SQLite and by counting statements, never by time. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import { MoneyStore } from '../../src/store/money-store.ts';
import { forgeSilence, proposedFor, pullRecords } from '../../src/store/proposal-store.ts';
import { RigQueries } from '../../src/store/rig-queries.ts';
import { readInvariantFacts } from '../../src/store/invariant-facts.ts';
import { SqlRigView } from '../../src/store/rig-view.ts';
import { migrate } from '../../src/store/migrate.ts';
import { RIG_MIGRATIONS } from '../../src/store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../src/store/migrations/town.ts';
import { readTownFacts } from '../../src/store/town-facts.ts';
import type { Sql, SqlRow, SqlValue } from '../../src/ports/sql.ts';
import { human, newBead } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

/** Tables that only grow; each row of one read without need is a price for history. */
const HISTORY = [
  'beads',
  'attempts',
  'reviews',
  'proposals',
  'journal',
  'inbox',
  'outbox',
  'turns',
  'answers',
  'mail',
  'convoys',
  'convoy_beads',
  'escalations',
];
/** Indexes that hold only what is alive (or what must be nothing); walking all of one is fine. */
const LIVE_INDEXES =
  /USING (?:COVERING )?INDEX \w*(?:live|ready|pending|due|lane|unended|open|queue|one_|unread|holding|aside|reserving|expiry|rework|merged|armed|cause|settled|waiting|people|silent)\w*/;

/** The newest row: a walk that ends with its first step. */
const NEWEST = /^SELECT [^()]* FROM \w+ ORDER BY seq DESC LIMIT 1$|ORDER BY created_at DESC, id DESC LIMIT/;

class Listening implements Sql {
  readonly texts = new Set<string>();
  readonly #inner: Sql;
  constructor(inner: Sql) {
    this.#inner = inner;
  }
  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    this.texts.add(text);
    return this.#inner.all(text, ...args);
  }
  tx<T>(work: () => T): T {
    return this.#inner.tx(work);
  }
}

/** Runs beads to their merge, then everything that a status page and the safety net read. */
async function listen(): Promise<{ readonly rig: ReadonlySet<string>; readonly town: ReadonlySet<string> }> {
  const ears = new Map<string, Listening>();
  const virtual: VirtualTown = new VirtualTown({
    ports: (plain) => ({
      ...plain,
      openSql: (address) => {
        const ear = ears.get(address) ?? new Listening(plain.openSql(address));
        ears.set(address, ear);
        return ear;
      },
    }),
    handOver: async (runner) => {
      await virtual.service.recordFacts(runner.facts.splice(0));
    },
  });
  await virtual.service.start([rigConfig('api')]);
  for (const title of ['one', 'two']) await virtual.service.createBead(newBead(title), human);
  await virtual.settle();
  for (const ear of ears.values()) ear.texts.clear();
  await virtual.service.createBead(newBead('three'), human);
  await virtual.advance(3 * 3_600_000);
  await virtual.service.status();
  await virtual.service.listEscalations(true);
  await virtual.service.listBeads({
    includeMergeRequests: false,
    statuses: ['open', 'in_progress', 'in_review'],
    limit: 50,
  });
  const [rig, town] = [ears.get('rig/api')!, ears.get('town')!];
  readInvariantFacts(rig);
  readTownFacts(town);
  return { rig: rig.texts, town: town.texts };
}

/** The steps of a plan that walk over a table of history. */
function scans(texts: ReadonlySet<string>, migrations: typeof RIG_MIGRATIONS): readonly string[] {
  const path = `file:plans-${String(migrations.length)}-${String(texts.size)}?mode=memory&cache=shared`;
  const keeper = new DatabaseSync(path);
  const sql = SqliteSql.open(path, { readOnly: false });
  migrate(sql, migrations, 0);
  const found: string[] = [];
  for (const text of texts) {
    const count = (text.match(/\?/g) ?? []).length;
    const plan = keeper.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...Array.from({ length: count }, () => null));
    for (const { detail } of plan) {
      const step = String(detail);
      const table = /^SCAN (\w+)/.exec(step)?.[1];
      if (table === undefined || LIVE_INDEXES.test(step) || NEWEST.test(text)) continue;
      const real = new RegExp(`(?:FROM|JOIN|UPDATE)\\s+(\\w+)\\s+(?:AS\\s+)?${table}\\b`).exec(text)?.[1] ?? table;
      if (HISTORY.includes(real)) found.push(`${step}: ${text.replaceAll(/\s+/g, ' ').slice(0, 160)}`);
    }
  }
  sql.close();
  keeper.close();
  return found;
}

describe('what runs all the time', () => {
  it('reads no table of history from end to end', async () => {
    const heard = await listen();
    expect(heard.rig.size).toBeGreaterThan(60);
    expect(scans(heard.rig, RIG_MIGRATIONS)).toEqual([]);
    expect(scans(heard.town, TOWN_MIGRATIONS)).toEqual([]);
  });

  it('reads no pull request of history either', () => {
    const path = 'file:pull-plans?mode=memory&cache=shared';
    const keeper = new DatabaseSync(path);
    const sql = SqliteSql.open(path, { readOnly: false });
    migrate(sql, RIG_MIGRATIONS, 0);
    const ear = new Listening(sql);
    proposedFor(ear, 'main');
    forgeSilence(ear);
    pullRecords(ear);
    new MoneyStore(ear).reviewsWaiting();
    new RigQueries(ear, new SqlRigView(ear)).heldUp();
    sql.close();
    keeper.close();
    expect(ear.texts.size).toBeGreaterThan(4);
    expect(scans(ear.texts, RIG_MIGRATIONS)).toEqual([]);
  });

  it('is noticed when it does', () => {
    expect(scans(new Set(['SELECT id FROM beads WHERE title = ?']), RIG_MIGRATIONS)).toHaveLength(1);
    expect(scans(new Set(['SELECT b.id FROM beads b WHERE b.title = ?']), RIG_MIGRATIONS)).toHaveLength(1);
    expect(scans(new Set(['SELECT id FROM beads WHERE id = ?']), RIG_MIGRATIONS)).toEqual([]);
  });

  it('takes as many statements with ten thousand closed beads as with ten', async () => {
    expect(await statements(10_000)).toEqual(await statements(10));
  });
});

/** Statements of a status, of a new bead and of a list, in a rig with a history. */
async function statements(closed: number): Promise<readonly number[]> {
  const virtual = new VirtualTown();
  virtual.tampered = true;
  await virtual.service.start([rigConfig('api')]);
  const sql = virtual.databases.get('rig/api')!;
  sql.all(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 0 + ?)
        INSERT INTO beads (id, type, kind, title, body, origin, priority, status, target_branch, queue_key, created_by, close_reason, evidence, created_at, updated_at, closed_at, end_reported)
        SELECT 'api-x' || i, 'issue', 'task', 'done', '', 'human', 'medium', 'closed', 'main', i, 'human/x', 'cancelled', '{"note":""}', i, i, i, 1 FROM n`,
    closed,
  );
  const counts: number[] = [];
  const count = async (work: () => Promise<unknown>): Promise<void> => {
    const before = sql.statements;
    await work();
    counts.push(sql.statements - before);
  };
  await virtual.settle();
  await count(() => virtual.service.status());
  await count(() => virtual.service.createBead(newBead('staged', { sling: false }), human));
  await count(() => virtual.service.listBeads({ includeMergeRequests: false, statuses: ['open'], limit: 50 }));
  expect((await virtual.service.listRigs())[0]?.counts).toMatchObject({ closed, open: 1 });
  return counts;
}
