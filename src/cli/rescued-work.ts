import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openForReading } from '../hosts/node/open-reading.ts';

import { gitLines } from '../hosts/node/git.ts';
import type { Town } from '../hosts/node/town-files.ts';

/** What attempts left and nobody has merged, as the clones of this machine and its runner know it. */
export interface RescuedWork {
  readonly rig: string;
  readonly bead: string;
  readonly attempt: string;
  /** Null: it could not be stored yet, and is where it was made. */
  readonly ref: string | null;
  readonly atMs: number;
  /** Folders that it is in, when it is not stored. */
  readonly folders: readonly string[];
  /** Why it is not stored. */
  readonly problem: string | null;
}

const REFS = 'refs/gt/rescue';
const FORMAT = '--format=%(refname) %(committerdate:unix)';

/** Work that a runner of this machine keeps aside. An older runner's table has none. */
export function setAsideWork(dataDir: string): readonly RescuedWork[] {
  const path = join(dataDir, 'runner.db');
  if (!existsSync(path)) return [];
  const db = openForReading(path);
  try {
    if (db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'set_aside'`).get() === undefined) return [];
    return db
      .prepare(
        `SELECT a.attempt, json_extract(a.request, '$.rig') AS rig, json_extract(a.request, '$.sourceBead') AS bead,
                a.problem, a.at_ms, w.name FROM set_aside a LEFT JOIN worktrees w ON w.owner = a.attempt
          WHERE a.saved IS NULL ORDER BY a.attempt DESC`,
      )
      .all()
      .map((row) => {
        const [rig, attempt] = [String(row['rig']), String(row['attempt'])];
        const tree = row['name'] === null ? [] : [join(dataDir, 'worktrees', rig, String(row['name']))];
        const folders = [...tree, join(dataDir, 'boxes', attempt)].filter((folder) => existsSync(folder));
        const [bead, problem] = [String(row['bead']), String(row['problem'])];
        return { rig, bead, attempt, ref: null, atMs: Number(row['at_ms']), folders, problem };
      });
  } finally {
    db.close();
  }
}

export const cloneOf = (dataDir: string, rig: string): string => join(dataDir, 'repos', `${rig}.git`);

/** What is known of rescued work, and of which clones git can't say. */
export interface AllRescued {
  /** The newest first. */
  readonly works: readonly RescuedWork[];
  readonly unread: readonly { readonly rig: string; readonly clone: string; readonly problem: string }[];
}

/** Everything that was rescued. Errors: `needs_folder`. */
export async function rescuedWork(town: Town): Promise<AllRescued> {
  const { dataDir } = town.paths;
  const repos = join(dataDir, 'repos');
  const names = existsSync(repos) ? readdirSync(repos).filter((name) => name.endsWith('.git')) : [];
  const works = [...setAsideWork(dataDir)];
  const unread: AllRescued['unread'][number][] = [];
  for (const rig of names.map((name) => name.slice(0, -'.git'.length))) {
    const clone = cloneOf(dataDir, rig);
    const found = await gitLines(clone, ['for-each-ref', FORMAT, `${REFS}/`]);
    if ('problem' in found) unread.push({ rig, clone, problem: found.problem });
    else works.push(...found.lines.map((line) => storedOf(rig, line)).filter(({ attempt }) => attempt !== ''));
  }
  return { works: works.toSorted((a, b) => b.atMs - a.atMs), unread };
}

function storedOf(rig: string, line: string): RescuedWork {
  const [ref = '', atS = '0'] = line.split(' ');
  const [bead = '', attempt = ''] = ref.slice(REFS.length + 1).split('/');
  return { rig, bead, attempt, ref, atMs: Number(atS) * 1_000, folders: [], problem: null };
}
