import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openForReading } from '../hosts/node/open-reading.ts';

import { TownError } from '../core/errors.ts';
import { LOCAL_RUNNER } from '../core/model/runner.ts';
import { loadConfig } from '../hosts/node/town-config.ts';
import { keptAtOrigin, keptWork, rigDatabase } from './remote-work.ts';
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
  /** Null: it is on this machine. */
  readonly away: Away | null;
}

/** Work that a runner on another machine stored; `origin`: whether the origin has it too, where it does not say null. */
export interface Away {
  readonly runner: string;
  readonly url: string | null;
  readonly origin: boolean | null;
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
        return { rig, bead, attempt, ref: null, atMs: Number(row['at_ms']), folders, problem, away: null };
      });
  } finally {
    db.close();
  }
}

export const cloneOf = (dataDir: string, rig: string): string => join(dataDir, 'repos', `${rig}.git`);

/** A rig of which it can't be said what was left. */
export interface Unread {
  readonly rig: string;
  /** What can't be read. */
  readonly what: string;
  readonly problem: string;
  readonly next: string;
}

/** What is known of rescued work, and of which rigs it can't be said. */
export interface AllRescued {
  /** The newest first. */
  readonly works: readonly RescuedWork[];
  readonly unread: readonly Unread[];
}

/** Everything that was rescued, here and at runners on other machines. Errors: `needs_folder`. */
export async function rescuedWork(town: Town, env: NodeJS.ProcessEnv): Promise<AllRescued> {
  const { dataDir } = town.paths;
  const repos = join(dataDir, 'repos');
  const names = existsSync(repos) ? readdirSync(repos).filter((name) => name.endsWith('.git')) : [];
  const works = [...setAsideWork(dataDir)];
  const unread: Unread[] = [];
  for (const rig of names.map((name) => name.slice(0, -'.git'.length))) {
    const clone = cloneOf(dataDir, rig);
    const found = await gitLines(clone, ['for-each-ref', FORMAT, `${REFS}/`]);
    if ('problem' in found)
      unread.push({
        rig,
        what: `the clone of ${rig}`,
        problem: found.problem,
        next: `See what git says: git --git-dir=${clone} for-each-ref ${REFS}`,
      });
    else works.push(...found.lines.map((line) => storedOf(rig, line)).filter(({ attempt }) => attempt !== ''));
  }
  const away = await workElsewhere(town, env, new Set(works.map(({ attempt }) => attempt)));
  return {
    works: [...works, ...away.works].toSorted((a, b) => b.atMs - a.atMs),
    unread: [...unread, ...away.unread],
  };
}

/** What runners on other machines stored, by the word of the rigs' databases and of their origins. */
async function workElsewhere(town: Town, env: NodeJS.ProcessEnv, here: ReadonlySet<string>): Promise<AllRescued> {
  const { dataDir, rigsDir } = town.paths;
  const works: RescuedWork[] = [];
  const unread: Unread[] = [];
  let urls: ReadonlyMap<string, string> | null = null;
  const files = existsSync(rigsDir) ? readdirSync(rigsDir).filter((name) => name.endsWith('.db')) : [];
  for (const rig of files.map((name) => name.slice(0, -'.db'.length))) {
    const kept = keptWork(rigDatabase(dataDir, rig));
    if ('problem' in kept) {
      unread.push({
        rig,
        what: `the database of ${rig}`,
        problem: kept.problem,
        next: 'Look at its database with "gt doctor".',
      });
      continue;
    }
    const away = kept.works.filter(({ runner, attempt }) => runner !== LOCAL_RUNNER && !here.has(attempt));
    if (away.length === 0) continue;
    urls ??= urlsOf(town, env);
    const url = urls.get(rig) ?? null;
    const refs = url === null ? null : await keptAtOrigin(url);
    works.push(
      ...away.map(({ bead, attempt, ref, runner, endedAtMs }) => ({
        rig,
        bead,
        attempt,
        ref,
        atMs: endedAtMs,
        folders: [],
        problem: null,
        away: { runner, url, origin: refs === null ? null : refs.has(ref) },
      })),
    );
  }
  return { works, unread };
}

/** Of the rigs that are there. None where the settings can't be read, which other commands say. */
function urlsOf({ paths }: Town, env: NodeJS.ProcessEnv): ReadonlyMap<string, string> {
  try {
    return new Map(loadConfig(paths, env).rigs.map(({ name, url }) => [name, url]));
  } catch (error) {
    if (error instanceof TownError) return new Map();
    throw error;
  }
}

function storedOf(rig: string, line: string): RescuedWork {
  const [ref = '', atS = '0'] = line.split(' ');
  const [bead = '', attempt = ''] = ref.slice(REFS.length + 1).split('/');
  return { rig, bead, attempt, ref, atMs: Number(atS) * 1_000, folders: [], problem: null, away: null };
}
