/** Work that runners on other machines kept: the rig's database knows of it, the clone of this machine has nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

import { LOCAL_RUNNER } from '../core/model/runner.ts';
import { git } from '../hosts/node/git.ts';
import { openForReading } from '../hosts/node/open-reading.ts';

/** Attempts that are looked at per rig, the newest; more than people scroll through. */
const ATTEMPTS_MAX = 1_000;

/** What an attempt left, as its end was told to the town. */
export interface KeptWork {
  readonly bead: string;
  readonly attempt: string;
  readonly ref: string;
  /** Name of the runner that had the attempt. */
  readonly runner: string;
  readonly endedAtMs: number;
}

type Kept = { readonly works: readonly KeptWork[] } | { readonly problem: string };

/** What attempts of a rig left, the newest first, from its database, or why that can't be read. */
export function keptWork(path: string): Kept {
  if (!existsSync(path)) return { works: [] };
  try {
    const db = openForReading(path);
    try {
      return { works: keptRows(db, ATTEMPTS_MAX) };
    } finally {
      db.close();
    }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** A database of an older gt knows of the runner here alone. */
export function keptRows(db: DatabaseSync, limit: number): readonly KeptWork[] {
  const has = db.prepare(`SELECT 1 FROM pragma_table_info('attempts') WHERE name = 'runner'`).get() !== undefined;
  const runner = has ? 'runner' : `'${LOCAL_RUNNER}'`;
  return db
    .prepare(
      `SELECT id, source_bead_id AS bead, json_extract(exit_record, '$.rescueRef') AS ref, ended_at, ${runner} AS runner
        FROM attempts WHERE json_extract(exit_record, '$.rescueRef') IS NOT NULL ORDER BY epoch DESC LIMIT ?`,
    )
    .all(limit)
    .map((row) => ({
      bead: String(row['bead']),
      attempt: String(row['id']),
      ref: String(row['ref']),
      runner: String(row['runner']),
      endedAtMs: Number(row['ended_at']),
    }));
}

export const rigDatabase = (dataDir: string, rig: string): string => join(dataDir, 'rigs', `${rig}.db`);

/** The refs with kept work that the origin has, to which every runner pushes them; null: it does not say. */
export async function keptAtOrigin(url: string): Promise<ReadonlySet<string> | null> {
  const answer = await git(['ls-remote', '--', url, 'refs/gt/rescue/*']);
  if (!answer.ok) return null;
  return new Set(answer.stdout.split('\n').flatMap((line) => line.split('\t')[1] ?? []));
}
