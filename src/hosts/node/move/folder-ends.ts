/** The two ends of a move that are a town's folder. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TransferDoor } from '../../../api/handlers/transfer.ts';
import type { Fact } from '../../../api/contract/runner.ts';
import { conflict, precondition, type TownError } from '../../../core/errors.ts';
import { MAYOR_ADDRESS } from '../../../core/model/mayor.ts';
import type { ActorAddress } from '../../../ports/host.ts';
import type { Sql } from '../../../ports/sql.ts';
import { RunnerDb } from '../../../runner/store/db.ts';
import { FactStore } from '../../../runner/store/facts.ts';
import { writeFileAtomic } from '../atomic-file.ts';
import { runnerStatus } from '../daemon-control.ts';
import { CONTENT_TIMEOUT_MS, git, gitLines } from '../git.ts';
import { holdTown } from '../held-town.ts';
import { databasePath } from '../host-ports.ts';
import { takeLock } from '../lock.ts';
import { SqliteSql } from '../sql-sqlite.ts';
import { parseConfig } from '../town-config.ts';
import { createTown } from '../town-create.ts';
import { PRIVATE_DIR_MODE, townPaths, type Town, type TownPaths } from '../town-files.ts';
import { sqlSource, sqlTarget } from './sql-ends.ts';

const STDERR_CHARS_SHOWN = 300;

const runnerDatabase = (paths: TownPaths): string => join(paths.dataDir, 'runner.db');

type Reports = ReturnType<FactStore['all']>;

export interface FolderSource {
  readonly door: TransferDoor;
  /** Those of the registry. */
  readonly rigs: () => readonly { readonly name: string; readonly url: string }[];
  /** What its runner has not handed over, also what this town did not take: it travels with the rows. */
  readonly reports: () => Reports;
  close(): void;
}

/** A town that is down. Nobody may start it meanwhile. Errors: `daemon_running`, `runner_running`. */
export async function folderSource(town: Town): Promise<FolderSource> {
  const { paths } = town;
  mkdirSync(paths.daemonDir, { recursive: true });
  const lock = takeLock(paths.lockFile);
  if (lock === null)
    throw conflict(
      'daemon_running',
      'The daemon of this town runs, and would go on with it.',
      'Stop it with "gt down".',
    );
  const databases = new Map<ActorAddress, SqliteSql>();
  const close = (): void => {
    for (const sql of databases.values()) sql.close();
    lock.release();
  };
  try {
    if ((await runnerStatus(town)).running)
      throw conflict('runner_running', 'The runner of this town has its agents still.', 'Stop both with "gt down".');
    for (const address of addressesOf(paths))
      databases.set(address, SqliteSql.open(databasePath(paths, address), { readOnly: true }));
  } catch (error) {
    close();
    throw error;
  }
  const hold = (move: string): string => holdTown(paths, move);
  const { id, name } = town.identity;
  const settings = readFileSync(paths.config, 'utf8');
  const door = sqlSource({ town: { id, name }, settings, databases, hold });
  const rigs = (): { readonly name: string; readonly url: string }[] =>
    (databases.get('town')?.all('SELECT name, git_url FROM rigs ORDER BY name') ?? []).map((row) => ({
      name: String(row['name']),
      url: String(row['git_url']),
    }));
  return { door, rigs, reports: () => reportsIn(paths), close };
}

function addressesOf(paths: TownPaths): readonly ActorAddress[] {
  if (!existsSync(paths.townDb))
    throw precondition('never_ran', 'This town never ran, so there is nothing to move.', 'Make the new one directly.');
  const rigs = existsSync(paths.rigsDir) ? readdirSync(paths.rigsDir).filter((name) => name.endsWith('.db')) : [];
  const mayor = existsSync(paths.mayorDb) ? [MAYOR_ADDRESS] : [];
  return ['town', ...mayor, ...rigs.toSorted().map((name) => `rig/${name.slice(0, -'.db'.length)}`)];
}

function reportsIn(paths: TownPaths): Reports {
  if (!existsSync(runnerDatabase(paths))) return { facts: [], unread: 0 };
  const db = new RunnerDb(runnerDatabase(paths));
  try {
    return new FactStore(db).all();
  } finally {
    db.close();
  }
}

/**
 * Brings what only this machine has of attempts, rescues and merges to the origins, where a runner elsewhere finds it.
 * Answers how many refs each rig has. Errors: `refs_not_pushed`.
 */
export async function pushRefs(
  paths: TownPaths,
  rigs: readonly { readonly name: string; readonly url: string }[],
): Promise<Readonly<Record<string, number>>> {
  const pushed: Record<string, number> = {};
  for (const { name, url } of rigs) {
    const repo = join(paths.dataDir, 'repos', `${name}.git`);
    if (!existsSync(repo)) continue;
    const refs = await gitLines(repo, ['for-each-ref', '--format=%(refname)', 'refs/gt/']);
    if ('problem' in refs) throw notPushed('Nobody knows how many refs with', name, refs.problem);
    const count = refs.lines.length;
    if (count === 0) continue;
    // By its address, as the runner does: "origin" is a setting that an agent may change. Each name has its epoch in it.
    const push = ['push', '--quiet', '--no-verify', '--force', '--end-of-options', url, 'refs/gt/*:refs/gt/*'];
    const answer = await git(['--git-dir', repo, ...push], undefined, CONTENT_TIMEOUT_MS);
    if (!answer.ok) throw notPushed(`${String(count)} refs with`, name, answer.stderr);
    pushed[name] = count;
  }
  return pushed;
}

const notPushed = (what: string, rig: string, words: string): TownError =>
  precondition(
    'refs_not_pushed',
    `${what} work of "${rig}" are on this machine only: ${words.trim().slice(0, STDERR_CHARS_SHOWN)}`,
    'Make its clone here and its origin readable, or add --no-push when nothing of that work is needed elsewhere.',
  );

export interface FolderTarget {
  readonly door: TransferDoor;
  close(): void;
}

/** A folder that becomes a town at the last step. Errors: `town_exists`. */
export function folderTarget(root: string, options: { readonly nowMs: number }): FolderTarget {
  if (existsSync(root) && readdirSync(root).some((name) => name !== '.import.half'))
    throw conflict('town_exists', `${root} is not empty.`, 'Import into a folder that does not exist yet.');
  const half = townPaths(join(root, '.import.half'));
  rmSync(half.root, { recursive: true, force: true });
  mkdirSync(half.rigsDir, { recursive: true, mode: PRIVATE_DIR_MODE });
  const open = new Map<ActorAddress, SqliteSql>();
  const close = (): void => {
    for (const sql of open.values()) sql.close();
    open.clear();
  };
  let settings = '';
  const door = sqlTarget({
    nowMs: options.nowMs,
    open: (address): Sql => {
      const sql = SqliteSql.open(databasePath(half, address), { readOnly: false });
      open.set(address, sql);
      return sql;
    },
    settings: (text) => {
      settings = text;
    },
    finished: ({ facts }) => {
      close();
      if (facts.length > 0) keepFacts(half, facts);
      const paths = townPaths(root);
      renameSync(half.dataDir, paths.dataDir);
      // Last: its presence makes the folder a town. It gets an identity and secrets of its own.
      writeFileAtomic(paths.config, settings);
      rmSync(half.root, { recursive: true, force: true });
      createTown({
        root,
        name: parseConfig(settings, paths, {}).name,
        ownerEmail: '',
        nowMs: options.nowMs,
      });
    },
  });
  return { door, close };
}

/** As if the runner of the new folder had heard of it: it hands it over at its first start. */
function keepFacts(paths: TownPaths, facts: readonly Fact[]): void {
  const db = new RunnerDb(runnerDatabase(paths));
  const store = new FactStore(db);
  for (const fact of facts) store.record(fact);
  db.close();
}
