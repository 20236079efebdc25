/** A town with a history moves from Node into a real workerd and back, in pieces, over faults; then it works on. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sqlSource, sqlTarget } from '../../src/hosts/node/move/sql-ends.ts';
import { exportTown, importTown } from '../../src/hosts/node/move/move.ts';
import { readMove } from '../../src/hosts/node/move/move-file.ts';
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import { factSchema } from '../../src/api/contract/runner.ts';
import type { TransferDoor } from '../../src/api/handlers/transfer.ts';
import { checkRig } from '../../src/core/invariants.ts';
import { TownError } from '../../src/core/errors.ts';
import type { Sql } from '../../src/ports/sql.ts';
import { readInvariantFacts } from '../../src/store/invariant-facts.ts';
import { digestTables } from '../../src/store/table-dump.ts';
import { equal, type CaseResult } from './case.ts';
import type { WentOn } from './go-on.ts';
import { tellUntil } from './history.ts';
import { NodeBench, TOWN } from './node-bench.ts';
import { person } from './words.ts';

/** Enough for convoys, failures, reviews, mail and escalations in all states. */
const STEPS = 150;
const SEED = 2;
const SETTINGS = '# Kept word for word.\n[town]\nname = "moved"\n';

const ENDS: readonly string[] = ['closed', 'failed', 'blocked by failure'];

export interface MoveBench {
  /** A step of the door of the objects of a town of this name. */
  door(town: string): TransferDoor;
  world(town: string, nowMs: number): Promise<unknown>;
  goOn(town: string): Promise<WentOn>;
  /** kill -9 and a new start. */
  restart(): Promise<void>;
}

const source = (databases: ReadonlyMap<string, Sql>): TransferDoor =>
  sqlSource({ town: TOWN, settings: SETTINGS, databases, hold: (move) => move });

/** Every table of every actor, byte for byte: one line each. */
const digests = (databases: ReadonlyMap<string, Sql>): readonly string[] =>
  [...databases]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([address, sql]) => digestTables(sql).map((one) => `${address} ${JSON.stringify(one)}`));

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof TownError ? error.code : String(error)),
  );

/** Dies at its nth step, before or after it was done. */
function dying(door: TransferDoor, at: number): TransferDoor {
  let left = at;
  return async (step) => {
    left -= 1;
    if (left === 0) {
      if (at % 2 === 0) await door(step);
      throw new Error('cut');
    }
    return door(step);
  };
}

export async function moveCases(bench: MoveBench, folder: string): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  const tell = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      results.push({ name, error: null });
    } catch (error) {
      results.push({ name, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  const here = new NodeBench(SEED);
  await tellUntil(here, { seed: SEED, steps: STEPS });
  await here.gateway.money.setBudget({ scope: 'town', unit: 'tokens', kind: 'soft', amount: 5_000 }, person('budget'));
  await here.gateway.configureMayor({
    runtime: 'command',
    model: null,
    command: 'talk',
    wallClockMs: 60_000,
    ownerEmail: 'owner@localhost',
  });
  await here.gateway.mayor.message('Are you there?', person('hello'));
  await here.settle();
  const facts = factSchema.array().parse(here.runner.facts.splice(0));
  const before = digests(here.databases());
  const [path, back] = [join(folder, 'there.town'), join(folder, 'back.town')];
  const there = bench.door('moved-1');

  await tell('export: an embedded town is written, and written again alike', async () => {
    const moved = await exportTown({
      source: source(here.databases()),
      path,
      move: 'mv-1',
      nowMs: 1,
      facts,
    });
    equal(moved.rows > 1_000, true, 'it has a history');
    const { end } = await readMove(path);
    const has = (table: string): number =>
      end.actors.flatMap((actor) => actor.tables).reduce((sum, one) => sum + (one.table === table ? one.rows : 0), 0);
    for (const table of [
      'convoys',
      'attempts',
      'reviews',
      'mail',
      'escalations',
      'budgets',
      'messages',
      'blockers',
      'turns',
    ])
      equal(has(table) > 0, true, `it has ${table}`);
    const first = readFileSync(path, 'utf8');
    await exportTown({ source: source(here.databases()), path, move: 'mv-1', nowMs: 1, facts });
    equal(readFileSync(path, 'utf8') === first, true, 'the same again');
  });
  await tell('import: what is no whole export is refused before anything is asked of the target', async () => {
    const cut = join(folder, 'cut.town');
    const whole = readFileSync(path);
    writeFileSync(cut, whole);
    truncateSync(cut, whole.length - 200);
    const asked: TransferDoor = () => Promise.reject(new Error('the target was asked'));
    equal(await codeOf(importTown({ path: cut, target: asked, hold: true })), 'bad_export');
    const middle = Math.floor(whole.length / 2);
    whole[middle] = whole[middle] === 0x31 ? 0x32 : 0x31;
    writeFileSync(cut, whole);
    equal(await codeOf(importTown({ path: cut, target: asked, hold: true })), 'bad_export');
  });
  await tell('import: cut at many points and killed once, it goes on and comes to the same rows', async () => {
    for (const at of [1, 2, 3, 4, 7, 12, 25, 40])
      await importTown({ path, target: dying(there, at), hold: true }).catch(() => undefined);
    await bench.restart();
    await importTown({ path, target: there, hold: true });
    await importTown({ path, target: there, hold: true });
    equal(await there({ step: 'state' }), { state: 'held', move: 'mv-1' });
  });
  await tell('import: a held town answers nothing, and another move is refused', async () => {
    equal(await codeOf(bench.goOn('moved-1')), 'town_moved');
    const other = join(folder, 'other.town');
    await exportTown({ source: source(here.databases()), path: other, move: 'mv-2', nowMs: 1, facts: [] });
    equal(await codeOf(importTown({ path: other, target: there, hold: true })), 'other_move');
  });
  await tell('back: what the objects hold is what was there, to the last row', async () => {
    await exportTown({ source: there, path: back, move: 'mv-3', nowMs: 1, facts: [] });
    const [first, second] = [await readMove(path), await readMove(back)];
    equal(second.end.actors, first.end.actors);
    equal(second.header.held.settings, SETTINGS);
    const databases = new Map<string, Sql>();
    const target = sqlTarget({
      open: (address) => {
        const sql = SqliteSql.open(':memory:', { readOnly: false });
        databases.set(address, sql);
        return sql;
      },
      nowMs: 1,
      settings: () => undefined,
      finished: () => undefined,
    });
    await importTown({ path: back, target, hold: false });
    equal(
      digests(databases).filter((line, index) => line !== before[index]),
      [],
      'tables that differ',
    );
    equal(digests(databases).length, before.length);
    for (const [address, sql] of databases)
      if (address.startsWith('rig/')) equal(checkRig(readInvariantFacts(sql), here.world.nowMs), [], address);
  });
  await tell('after the move: work goes on in workerd, nothing is lost and nothing doubled', async () => {
    await bench.world('moved-1', here.world.nowMs);
    await importTown({ path, target: there, hold: false });
    equal((await importTown({ path, target: there, hold: false })).isRepeat, true, 'a repeat changes nothing');
    const known = Object.keys((await goOnIds(here)).beads);
    const end = await bench.goOn('moved-1');
    equal(end.doubled, [], 'doubled');
    equal(
      known.filter((id) => end.beads[id] === undefined),
      [],
      'lost beads',
    );
    const open = Object.entries(end.beads).filter(([, status]) => !ENDS.includes(status));
    equal(open, [], 'beads without an end');
    equal(
      end.convoys.filter((status) => ['landed', 'failed', 'cancelled'].includes(status)).length,
      end.convoys.length,
    );
    const used = await codeOf(importTown({ path: back, target: bench.door('moved-1'), hold: true }));
    equal(used, 'done', 'the way back names the same move');
  });
  await tell('import: a town that was used is refused', async () => {
    const used = bench.door('moved-2');
    await importTown({ path, target: used, hold: false });
    const other = join(folder, 'other.town');
    equal(await codeOf(importTown({ path: other, target: used, hold: true })), 'not_empty');
  });
  return results;
}

async function goOnIds(here: NodeBench): Promise<Pick<WentOn, 'beads'>> {
  const { items } = await here.gateway.listBeads({ limit: 1_000, includeMergeRequests: false });
  return {
    beads: Object.fromEntries(
      items.filter((bead) => bead.type !== 'merge_request').map((bead) => [bead.id, bead.status]),
    ),
  };
}
