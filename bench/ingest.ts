/** Durable ingest of facts against the bare inserts that make them durable (goal G3). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { factSchema } from '../src/api/contract/runner.ts';
import { machineFigures } from './machine.ts';
import { median, type Bench } from './result.ts';
import { openRig, runAgents, signOfLife, timed } from './rig.ts';

const ROUNDS = 7;
/** Facts that share one commit. */
const GROUPS = [1, 16, 64];
/** Facts of one measurement. */
const FACTS = 512;
const GOAL = 0.7;

export const ingest: Bench = async (rounds) => {
  const folder = mkdtempSync(join(tmpdir(), 'gt-bench-ingest-'));
  try {
    const made = await openRig({ closed: 0, path: join(folder, 'rig.db') });
    const [attempt] = await runAgents(made, 1);
    if (attempt === undefined) throw new Error('no agent started');
    const raw = rawTable(join(folder, 'raw.db'));
    const ours = new Map<number, readonly number[]>();
    const bare = new Map<number, readonly number[]>();
    const next = factsFor(attempt);
    for (let round = 0; round <= (rounds ?? ROUNDS); round += 1)
      for (const group of GROUPS) {
        const texts = Array.from({ length: FACTS / group }, () => next(group));
        const tookMs = await timed(async () => {
          for (const text of texts) await made.rig.recordFacts(factSchema.array().parse(JSON.parse(text)));
        });
        const bareMs = await timed(() => {
          for (const text of texts) raw(JSON.parse(text) as readonly { readonly key: string }[]);
        });
        // The first round is a warm-up.
        ours.set(group, round === 0 ? [] : [...(ours.get(group) ?? []), (FACTS * 1_000) / tookMs]);
        bare.set(group, round === 0 ? [] : [...(bare.get(group) ?? []), (FACTS * 1_000) / bareMs]);
      }
    made.rig.actor.close();
    const ratios = GROUPS.map((group) => median(ours.get(group) ?? []) / median(bare.get(group) ?? []));
    const rate = (values: readonly number[] | undefined): string => `${median(values ?? []).toFixed(0)} per s`;
    const ratio = Math.min(...ratios);
    return {
      bench: 'ingest',
      figures: {
        ...Object.fromEntries(
          GROUPS.map((group, at) => [
            `groups of ${String(group)}`,
            `${rate(ours.get(group))}, bare inserts ${rate(bare.get(group))}: ${((ratios[at] ?? 0) * 100).toFixed(0)} %`,
          ]),
        ),
        ...machineFigures(folder),
      },
      goal: `at least ${String(GOAL * 100)} % of bare durable inserts at each group size`,
      holds: ratio >= GOAL,
      ratio,
      ratioOf: 'facts taken in and applied : bare inserts, at the worst group size',
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Texts with so many facts as are asked for, each with a key of its own. */
function factsFor(attempt: Parameters<typeof signOfLife>[0]): (count: number) => string {
  let n = 0;
  return (count) => JSON.stringify(Array.from({ length: count }, () => signOfLife(attempt, (n += 1))));
}

/** The baseline: one durable transaction per group, one insert per fact. */
function rawTable(path: string): (facts: readonly { readonly key: string }[]) => void {
  const db = new DatabaseSync(path);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (seq INTEGER PRIMARY KEY, key TEXT UNIQUE, body TEXT)',
  );
  const insert = db.prepare('INSERT INTO t (key, body) VALUES (?, ?)');
  return (facts) => {
    db.exec('BEGIN IMMEDIATE');
    for (const fact of facts) insert.run(fact.key, JSON.stringify(fact));
    db.exec('COMMIT');
  };
}
