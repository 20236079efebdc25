import { createHash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { conflict, precondition, TownError, usage } from '../../core/errors.ts';
import { readJsonIfThere, writeFileAtomic } from './atomic-file.ts';
import { databaseOf, isBackupName, rigOfBundle, rigsIn } from './backup-names.ts';
import { bundleWork, unbundleWork } from './backup-work.ts';
import { copyDatabase, damageOfCopy } from './copy-database.ts';
import { tooOld } from './consistent-cut.ts';
import { thisMachine, writeRestored, type Restored } from './restored.ts';
import { createTown } from './town-create.ts';
import { PRIVATE_DIR_MODE, townPaths, type Town, type TownPaths } from './town-files.ts';

const MANIFEST = 'backup.json';
const FORMAT = 2;
/** Programs that wrote it left out the clone of a rig with "_" in its name, without a word. */
const FORMAT_WITHOUT_UNDERSCORES = 1;
/** Copies take milliseconds and messages come in bursts; more rounds than this mean a town that never rests. */
const ROUNDS_MAX = 20;
/** Read at once; more is not faster. */
const READ_BYTES = 1024 * 1024;

interface BackupFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface BackupResult {
  readonly folder: string;
  readonly files: readonly BackupFile[];
  /** What lies among the databases and clones of the rigs and is named after none, by its name below `.gastown`. */
  readonly leftOut: readonly string[];
}

/** Every database of a town, by its name below `.gastown`. */
function databases(paths: TownPaths): { readonly names: readonly string[]; readonly leftOut: readonly string[] } {
  const { rigs, others } = rigsIn(paths.rigsDir, '.db');
  const ofTheTown = ['town.db', 'mayor.db'].filter((name) => existsSync(join(paths.dataDir, name)));
  return { names: [...ofTheTown, ...rigs.map(databaseOf)], leftOut: others.map((name) => `rigs/${name}`) };
}

/** Part by part: a bundle may be larger than any buffer. */
function fileOf(folder: string, name: string): BackupFile {
  const hash = createHash('sha256');
  const part = Buffer.allocUnsafe(READ_BYTES);
  const file = openSync(join(folder, name), 'r');
  try {
    let bytes = 0;
    for (;;) {
      const read = readSync(file, part, 0, part.length, null);
      if (read === 0) return { name, bytes, sha256: hash.digest('hex') };
      hash.update(part.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(file);
  }
}

export interface BackupOptions {
  readonly nowMs: number;
  /** Whether the refs with work of agents go with it; they bring the history of their repositories along. */
  readonly work: boolean;
}

/**
 * Copies all databases of a town, which may be running, its configuration, and the work of agents that is only in this
 * machine's clones into a new folder, and checks each copy. Not in it: secrets, worktrees with what is not committed or
 * rescued yet, and the runner's database, which is about this machine's processes and folders. No copy misses a message
 * that another one holds for delivered. What was written is read back as a restore reads it, before it gets its name.
 * Errors: `folder_exists`, `database_damaged`, `too_busy`, `work_not_copied`, `backup_unsound`.
 */
export async function backupTown(town: Town, folder: string, { nowMs, work }: BackupOptions): Promise<BackupResult> {
  if (existsSync(folder))
    throw conflict('folder_exists', `${folder} exists.`, 'Name a folder that does not exist yet.');
  const half = `${folder}.half`;
  rmSync(half, { recursive: true, force: true });
  const written = await copyInto(town, half, { nowMs, work }).catch((error: unknown) => {
    // Often for want of space, which it would go on taking.
    rmSync(half, { recursive: true, force: true });
    throw error;
  });
  const problem = backupProblem(half);
  if (problem !== null) throw unsound(half, problem);
  mkdirSync(dirname(folder), { recursive: true });
  renameSync(half, folder);
  return { folder, ...written };
}

async function copyInto(
  town: Town,
  half: string,
  { nowMs, work }: BackupOptions,
): Promise<Omit<BackupResult, 'folder'>> {
  mkdirSync(half, { recursive: true, mode: PRIVATE_DIR_MODE });
  mkdirSync(join(half, 'rigs'));
  const { names, leftOut } = databases(town.paths);
  await copyAll(town.paths, half, names);
  cpSync(town.paths.config, join(half, 'gastown.toml'));
  const bundled = work ? await bundleWork(town.paths.dataDir, half) : { files: [], leftOut: [] };
  const files = [...names, ...bundled.files, 'gastown.toml'].map((name) => fileOf(half, name));
  const { id, name } = town.identity;
  const from = { id, name, root: town.paths.root, machine: thisMachine() };
  const manifest = { kind: 'gastown-backup', format: FORMAT, town: from, createdAtMs: nowMs, work, files };
  writeFileAtomic(join(half, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return { files, leftOut: [...leftOut, ...bundled.leftOut] };
}

const unsound = (half: string, problem: string): TownError =>
  precondition(
    'backup_unsound',
    `What was written could not be restored: ${problem}. It is left as ${half}; nothing of the town was changed.`,
    'Try again on another disk; if it says so there too, it is a defect of gt: report it with these words.',
  );

const addressOf = (name: string): string => name.replace(/\.db$/, '').replace('rigs/', 'rig/');

/** Copies all, then those again that messages have overtaken meanwhile. */
async function copyAll(paths: TownPaths, folder: string, names: readonly string[]): Promise<void> {
  const copies = new Map(names.map((name) => [addressOf(name), join(folder, name)]));
  let wanted = names;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    for (const name of wanted) await copyDatabase(join(paths.dataDir, name), join(folder, name));
    const late = new Set(tooOld(copies));
    wanted = names.filter((name) => late.has(addressOf(name)));
    if (wanted.length === 0) return;
  }
  throw new TownError('busy', 'too_busy', {
    message: `The rigs exchange messages faster than their databases can be copied (${String(ROUNDS_MAX)} tries).`,
    next: 'Try again in a quiet moment, or after "gt daemon stop"; agents go on meanwhile.',
  });
}

const broken = (folder: string, why: string): TownError =>
  usage('bad_backup', `${folder} is no whole backup: ${why}.`, 'Use a folder that "gt backup" wrote.');

interface Manifest {
  readonly name: string;
  readonly restored: Restored;
  readonly files: readonly BackupFile[];
}

/** A text says why the manifest can't be believed. */
function readManifest(folder: string): Manifest | string {
  const data: unknown = readJsonIfThere(join(folder, MANIFEST));
  const [given, town, format, createdAtMs] = ['files', 'town', 'format', 'createdAtMs'].map((key) =>
    fieldOf(data, key),
  );
  const text = (key: string): string | null => {
    const value = fieldOf(town, key);
    return typeof value === 'string' ? value : null;
  };
  const name = text('name');
  if (!Array.isArray(given) || name === null) return `${MANIFEST} is missing or unreadable`;
  const files: BackupFile[] = [];
  for (const one of given) {
    const file = asFile(one);
    if (typeof file === 'string') return file;
    files.push(file);
  }
  const former = { id: text('id') ?? '', root: text('root'), machine: text('machine') };
  const atMs = typeof createdAtMs === 'number' ? createdAtMs : 0;
  const left = format === FORMAT_WITHOUT_UNDERSCORES && files.some((file) => file.name.includes('_'));
  const work = fieldOf(data, 'work') === true && !left;
  return { name, restored: { atMs, work, former }, files };
}

const fieldOf = (data: unknown, key: string): unknown =>
  typeof data === 'object' && data !== null ? Reflect.get(data, key) : undefined;

function asFile(file: unknown): BackupFile | string {
  const [name, bytes, sha256] = ['name', 'bytes', 'sha256'].map((key) => fieldOf(file, key));
  if (typeof name !== 'string' || typeof bytes !== 'number' || typeof sha256 !== 'string')
    return `${MANIFEST} is unreadable`;
  return isBackupName(name) ? { name, bytes, sha256 } : `${MANIFEST} names ${JSON.stringify(name)}, which no town has`;
}

/** Says what is wrong with a backup; null when each file is as it was written and sound. */
function backupProblem(folder: string): string | null {
  const manifest = readManifest(folder);
  return typeof manifest === 'string' ? manifest : fileProblem(folder, manifest.files);
}

function fileProblem(folder: string, files: readonly BackupFile[]): string | null {
  for (const file of files) {
    if (!existsSync(join(folder, file.name))) return `${file.name} is missing`;
    const found = fileOf(folder, file.name);
    if (found.sha256 !== file.sha256) return `${file.name} is not what was written`;
    const damage = file.name.endsWith('.db') ? damageOfCopy(join(folder, file.name)) : null;
    if (damage !== null) return `${file.name}: ${damage}`;
  }
  return null;
}

/**
 * Makes a town in a new folder from a backup. It gets an identity and secrets of its own, so that it takes no process of
 * the former town for its own. What an agent was at work on then is dispatched again. Answers also what is known of the
 * former town. Errors: `bad_backup`, `town_exists`, `work_not_restored`.
 */
export async function restoreTown(
  backup: string,
  root: string,
  nowMs: number,
): Promise<{ readonly town: Town; readonly restored: Restored }> {
  const manifest = readManifest(backup);
  if (typeof manifest === 'string') throw broken(backup, manifest);
  const { name, files, restored } = manifest;
  const problem = fileProblem(backup, files);
  if (problem !== null) throw broken(backup, problem);
  if (existsSync(root) && readdirSync(root).length > 0)
    throw conflict('town_exists', `${root} is not empty.`, 'Restore into a folder that does not exist yet.');
  mkdirSync(root, { recursive: true });
  const paths = townPaths(realpathSync(root));
  const half = join(paths.dataDir, 'restore.half');
  mkdirSync(join(half, 'rigs'), { recursive: true, mode: PRIVATE_DIR_MODE });
  mkdirSync(paths.rigsDir, { recursive: true });
  await unbundleWork(
    backup,
    files.flatMap((file) => rigOfBundle(file.name) ?? []),
    paths.dataDir,
  );
  const others = files.filter((file) => rigOfBundle(file.name) === null);
  for (const file of others) cpSync(join(backup, file.name), join(half, file.name));
  for (const file of files.filter((one) => one.name.endsWith('.db')))
    renameSync(join(half, file.name), join(paths.dataDir, file.name));
  writeRestored(paths, restored);
  // Last: its presence makes the folder a town.
  renameSync(join(half, 'gastown.toml'), paths.config);
  rmSync(half, { recursive: true, force: true });
  const { town } = createTown({ root: paths.root, name: name === '' ? basename(root) : name, ownerEmail: '', nowMs });
  return { town, restored };
}
