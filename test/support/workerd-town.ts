/** A town of Durable Objects in a real `workerd`, with its storage in a folder, and runners as processes of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { bundleWorker, startWorkerd, type RunningWorkerd, type WorkerdOptions } from '../../scripts/workerd.ts';
import type { RunnerItem, RunnerTokenItem } from '../../src/api/contract/runners.ts';
import type { Counts } from '../fixtures/workerd/counts.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const GT_MAIN = join(ROOT, 'src', 'cli', 'main.ts');
const WORKER = join(ROOT, 'test', 'fixtures', 'workerd', 'worker.ts');
export const TOWN_ID = 'workerd-town';
export const OWNER = 'o'.repeat(32);

export interface RunnerProcess {
  readonly child: ChildProcess;
  /** What it wrote on standard error. */
  readonly said: () => string;
}

export class WorkerdTown {
  readonly folder: string;
  readonly children: ChildProcess[] = [];
  readonly #options: WorkerdOptions;
  #workerd: RunningWorkerd;

  private constructor(options: WorkerdOptions, workerd: RunningWorkerd) {
    this.folder = options.folder;
    this.#options = options;
    this.#workerd = workerd;
  }

  static async start(folder: string): Promise<WorkerdTown> {
    const bundle = join(folder, 'worker.js');
    await bundleWorker(WORKER, bundle);
    const options: WorkerdOptions = {
      bundle,
      folder,
      classes: [
        { binding: 'TOWN', className: 'CountedTownDO' },
        { binding: 'RIG', className: 'CountedRigDO' },
        { binding: 'MAYOR', className: 'CountedMayorDO' },
        { binding: 'STREAM', className: 'StreamDO' },
      ],
      texts: {
        GT_TOWN_ID: TOWN_ID,
        GT_TOWN_NAME: 'workerd',
        GT_OWNER_TOKEN: OWNER,
        GT_RUNNER_SECRET: 'r'.repeat(32),
        GT_CAPABILITY_KEY: 'k'.repeat(32),
      },
      port: 0,
      loud: process.env['GT_LOUD'] === '1',
    };
    const workerd = await startWorkerd(options);
    return new WorkerdTown({ ...options, port: Number(new URL(workerd.url).port) }, workerd);
  }

  get url(): string {
    return this.#workerd.url;
  }

  /** As a crash of the machine would end it; then again on the same storage and port. */
  async crash(downMs: number): Promise<void> {
    await this.#workerd.stop('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, downMs));
    this.#workerd = await startWorkerd(this.#options);
  }

  /** Ends what was started here, runners first. */
  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => ended(child)));
    await this.#workerd.stop('SIGKILL');
  }

  async call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/towns/_/${path}`, {
      method,
      headers: { authorization: `Bearer ${OWNER}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${String(answer.status)}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  }

  runners(): Promise<readonly RunnerItem[]> {
    return this.call<{ items: RunnerItem[] }>('GET', 'runners').then(({ items }) => items);
  }

  async runner(id: string): Promise<RunnerItem | undefined> {
    return (await this.runners()).find((one) => one.id === id);
  }

  async register(name: string, url?: string): Promise<string> {
    const { token } = await this.call<RunnerTokenItem>('POST', 'runners', {
      name,
      ...(url === undefined ? {} : { url }),
    });
    writeFileSync(join(this.folder, `${name}.token`), `${token}\n`, { mode: 0o600 });
    return token;
  }

  /** As a person starts it on another machine: by the command, with its own folder and the token in a file. */
  startRunner(name: string, args: readonly string[] = []): RunnerProcess {
    const program = ['--disable-warning=ExperimentalWarning', GT_MAIN, 'runner', '--town', this.url];
    const own = ['--dir', join(this.folder, `dir-${name}`), '--token-file', join(this.folder, `${name}.token`)];
    const child = spawn(process.execPath, [...program, ...own, ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (process.env['GT_TEST_LOG'] !== undefined) process.stderr.write(`${name}: ${chunk.toString()}`);
    });
    this.children.push(child);
    return { child, said: () => said };
  }

  /** What the objects did since the last time. */
  async counts(): Promise<Counts> {
    return (await (await fetch(`${this.url}/counts`, { method: 'POST' })).json()) as Counts;
  }

  /** Every row of every object, read from its file as anybody could: what no test may find changed. */
  rows(): string {
    return this.#files()
      .map((file) => `${file}\n${dump(join(this.folder, 'objects', file))}`)
      .join('\n');
  }

  /** Alarms that are set, in all objects. */
  alarms(): number {
    const files = this.#files().filter((file) => file.endsWith('metadata.sqlite'));
    return files.reduce((sum, file) => sum + rowsOf(join(this.folder, 'objects', file), '_cf_ALARM').length, 0);
  }

  #files(): readonly string[] {
    return readdirSync(join(this.folder, 'objects'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.sqlite'))
      .toSorted();
  }
}

function rowsOf(path: string, table: string): readonly unknown[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return readAll(db, table);
  } finally {
    db.close();
  }
}

/** An alarm's time has more digits than a number of JavaScript. */
function readAll(db: DatabaseSync, table: string) {
  const statement = db.prepare(`SELECT * FROM "${table}"`);
  statement.setReadBigInts(true);
  return statement.all();
}

function dump(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    return tables
      .map((row) => String(row['name']))
      .map((name) => readAll(db, name).map((row) => `${name} ${Object.values(row).map(String).join('|')}`))
      .join('\n');
  } finally {
    db.close();
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.kill('SIGKILL');
  });
}
