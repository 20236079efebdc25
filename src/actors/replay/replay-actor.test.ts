import { describe, expect, it } from 'vitest';
import { SqliteSql } from '../../hosts/node/sql-sqlite.ts';
import type { RecordedStep } from './replay-history.ts';
import { recordedSteps, replayHistory } from './replay-history.ts';
import { migrate } from '../../store/migrate.ts';
import { RIG_MIGRATIONS } from '../../store/migrations/rig.ts';
import { digestTables, dumpCounters, dumpTable, loadTables, tableNames } from '../../store/table-dump.ts';
import { rigConfig, VirtualTown } from '../../../test/support/virtual-town.ts';
import { human, newBead } from '../../../test/support/town-story.ts';

async function story(): Promise<{ readonly steps: readonly RecordedStep[]; readonly town: VirtualTown }> {
  const town = new VirtualTown();
  await town.service.start([rigConfig('api')]);
  await town.service.createBead(newBead('one'), human);
  await town.settle();
  await town.advance(60_000);
  return { steps: [...recordedSteps(sqlOf(town), 0, 0)], town };
}

const sqlOf = (town: VirtualTown) => town.databases.get('rig/api')!.inner;

function run(steps: readonly RecordedStep[], town: VirtualTown) {
  const sql = SqliteSql.open(':memory:', { readOnly: false });
  return replayHistory({ address: 'rig/api', town: 'town-test' }, { sql, journalSeq: 0 }, steps, () =>
    digestTables(sqlOf(town)),
  );
}

describe('a replay', () => {
  it('comes to the same journal and the same state (I26)', async () => {
    const { steps, town } = await story();
    const result = run(steps, town);
    expect(result.difference).toBeNull();
    expect(result.turns).toBe(steps.length);
    expect(result.journalRows).toBeGreaterThan(3);
  });

  it('goes on from a snapshot as well, with all counters where they stood', async () => {
    const { steps: before, town } = await story();
    const from = sqlOf(town);
    const base = [...tableNames(from).map((table) => dumpTable(from, table)), dumpCounters(from)];
    await town.service.createBead(newBead('two'), human);
    await town.advance(120_000);
    const { seq, journalSeq } = before.at(-1)!.turn;
    const sql = SqliteSql.open(':memory:', { readOnly: false });
    migrate(sql, RIG_MIGRATIONS, 0);
    loadTables(sql, base);
    const steps = [...recordedSteps(from, seq, journalSeq)];
    const actor = { address: 'rig/api', town: 'town-test' };
    expect(steps.length).toBeGreaterThan(2);
    expect(replayHistory(actor, { sql, journalSeq }, steps, () => digestTables(from)).difference).toBeNull();
  });

  it('names the first journal row that somebody changed, and the field', async () => {
    const { steps, town } = await story();
    const at = steps.findIndex((step) => step.journal.length > 1);
    const victim = steps[at]!.journal[1]!;
    const changed = steps.map((step, index) =>
      index === at ? { ...step, journal: step.journal.with(1, { ...victim, reason: 'because I say so' }) } : step,
    );
    expect(run(changed, town).difference).toMatchObject({
      turn: steps[at]!.turn.seq,
      journalSeq: victim.seq,
      what: 'journal: reason',
    });
  });

  it('notices a missing journal row, and one too many', async () => {
    const { steps, town } = await story();
    const at = steps.findIndex((step) => step.journal.length > 0);
    const step = steps[at]!;
    const last = step.journal.at(-1)!;
    const less = steps.with(at, { ...step, journal: step.journal.slice(0, -1) });
    expect(run(less, town).difference).toMatchObject({ journalSeq: last.seq, recorded: 'no such row' });
    const more = steps.with(at, { ...step, journal: [...step.journal, { ...last, seq: last.seq + 1 }] });
    expect(run(more, town).difference).toMatchObject({ journalSeq: last.seq + 1, replayed: 'no such row' });
  });

  it('notices another argument, another byte of chance, another time and a lost turn', async () => {
    const { steps, town } = await story();
    const at = steps.findIndex((step) => step.turn.input.calls[0]?.[0] === 'createBead');
    const step = steps[at]!;
    const drawn = step.turn.input.drawn;
    const edit = (over: Partial<RecordedStep['turn']>): readonly RecordedStep[] =>
      steps.with(at, { ...step, turn: { ...step.turn, ...over } });
    const otherChance = { ...step.turn.input, drawn: `${drawn.startsWith('00') ? '01' : '00'}${drawn.slice(2)}` };
    const [name, bead, ...rest] = step.turn.input.calls[0]!;
    const otherTitle = { ...step.turn.input, calls: [[name, { ...(bead as object), title: 'two' }, ...rest] as const] };
    expect(run(edit({ input: otherChance }), town).difference).toMatchObject({ turn: step.turn.seq });
    expect(run(edit({ atMs: step.turn.atMs + 1 }), town).difference).toMatchObject({ what: 'journal: atMs' });
    expect(run(edit({ input: otherTitle }), town).difference).not.toBeNull();
    expect(run(steps.toSpliced(at, 1), town).difference).toMatchObject({ turn: steps[at + 1]!.turn.seq });
    expect(run(edit({ input: { ...step.turn.input, drawn: `${drawn}ff` } }), town).difference).toMatchObject({
      what: 'chance',
    });
  });

  it('stops at a call without a name and at one that this program does not have', async () => {
    const { steps, town } = await story();
    const first = steps[0]!;
    const withCall = (call: readonly [string]): readonly RecordedStep[] =>
      steps.with(0, { ...first, turn: { ...first.turn, input: { ...first.turn.input, calls: [call] } } });
    expect(run(withCall(['?']), town).difference).toMatchObject({ turn: 1, replayed: 'nothing to run' });
    expect(run(withCall(['flyAway']), town).difference?.replayed).toContain('no call "flyAway"');
  });
});
