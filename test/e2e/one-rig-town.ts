/** A running town of one rig for a test file, made by the `gt` command alone, as a person makes it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** The launcher of a clone. */
export const GT = join(import.meta.dirname, '../../gt');
/** Making a town, or one bead's whole life in it, on a loaded machine of two cores. */
export const WAIT_MS = 60_000;

export interface OneRigTown {
  /** Outside of the town: for what the test and its agents write. */
  readonly folder: string;
  /** The town's own folder. */
  readonly town: string;
  /** The rig's bare origin. */
  readonly origin: string;
  /** A path in `folder`. */
  readonly at: (name: string) => string;
  /** Runs `gt` for the town and answers its output; throws when it fails. */
  readonly gt: (...args: readonly string[]) => string;
  /** The same with `--json`, parsed. */
  readonly json: <T>(...args: readonly string[]) => T;
}

interface Options {
  /** After the town was made, before the rig is in it. */
  readonly prepare?: (town: OneRigTown) => void;
  /** For `gt rig add app <origin>`. */
  readonly rigOptions?: (town: OneRigTown) => readonly string[];
}

/** Runs git in a folder and answers its output. */
export const gitIn = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-C', cwd, ...args], { encoding: 'utf8', stdio: 'pipe' });

/** A bare repository `<name>.git` with one empty commit; answers its path. */
function makeOrigin(folder: string, name: string): string {
  const seed = join(folder, `${name}-seed`);
  const origin = join(folder, `${name}.git`);
  mkdirSync(seed);
  gitIn(seed, 'init', '-q', '-b', 'main');
  gitIn(seed, '-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '-q', '--allow-empty', '-m', 'start');
  gitIn(seed, 'clone', '-q', '--bare', '.', origin);
  return origin;
}

/** Brings up a town with the rig `app` before the file's tests, and takes it down and away after them. */
export function oneRigTown(options: Options = {}): OneRigTown {
  const folder = mkdtempSync(join(tmpdir(), 'gt-one-rig-'));
  const town = join(folder, 'town');
  const gt = (...args: readonly string[]): string =>
    execFileSync(GT, [...args, '--town', town], { encoding: 'utf8', stdio: 'pipe' });
  const made: OneRigTown = {
    folder,
    town,
    origin: join(folder, 'app.git'),
    at: (name) => join(folder, name),
    gt,
    json: <T>(...args: readonly string[]) => JSON.parse(gt(...args, '--json')) as T,
  };
  beforeAll(() => {
    makeOrigin(folder, 'app');
    execFileSync(GT, ['init', town], { stdio: 'pipe' });
    options.prepare?.(made);
    gt('rig', 'add', 'app', made.origin, ...(options.rigOptions?.(made) ?? []));
    gt('up');
  }, WAIT_MS);
  afterAll(() => {
    gt('down');
    rmSync(folder, { recursive: true, force: true });
  }, WAIT_MS);
  return made;
}
