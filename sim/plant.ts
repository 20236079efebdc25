/**
 * Proves the simulator: `node sim/plant.ts [--only <part of a name>] [--seeds 1000]` copies the sources, plants one bug
 * at a time and runs seeds until one fails. Exit code 1 when a bug was not found or can't be planted any more.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PLANTED, type Planted } from './planted.ts';

const root = join(import.meta.dirname, '..');
const COPIED = [
  'src/core',
  'src/forge',
  'src/ports',
  'src/store',
  'src/actors',
  'src/hosts/node/sql-sqlite.ts',
  'src/hosts/node/clock.ts',
  'sim',
  'test/support/memory-forge.ts',
];

export interface Found {
  readonly seeds: number;
  readonly what: string | null;
}

/** Runs seeds on a copy of the sources with this one bug, until one fails. */
export async function hunt(planted: Planted | null, seeds: number): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'gt-planted-'));
  try {
    for (const part of COPIED) cpSync(join(root, part), join(folder, part), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n');
    if (planted !== null) plant(join(folder, 'src', planted.file), planted);
    const output = await run(folder, seeds);
    const failed = /FAILED seed (\d+) at step \d+ \(\d+ ms\): (.*)/.exec(output);
    if (failed === null && !output.includes(' 0 failed')) return { seeds: 0, what: output.trim().slice(-300) };
    return { seeds: Number(failed?.[1] ?? seeds), what: failed?.[2] ?? null };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function plant(file: string, planted: Planted): void {
  const text = readFileSync(file, 'utf8');
  const parts = text.split(planted.find);
  if (parts.length < 2) throw new Error(`"${planted.name}" can't be planted: ${planted.file} has no ${planted.find}`);
  writeFileSync(file, parts.join(planted.put));
}

function run(folder: string, seeds: number): Promise<string> {
  const args = [
    join(folder, 'sim/main.ts'),
    '--seed',
    '1',
    '--seeds',
    String(seeds),
    '--until-failure',
    '--no-shrink',
    '--once',
    '--jobs',
    '1',
  ];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('close', () => {
      resolve(output);
    });
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string', default: '' }, seeds: { type: 'string', default: '1000' } },
  });
  const chosen = PLANTED.filter((planted) => planted.name.includes(values.only));
  let missed = 0;
  for (const planted of chosen) {
    const found = await hunt(planted, Number(values.seeds));
    if (found.what === null) missed += 1;
    const verdict = found.what === null ? `NOT FOUND in ${String(found.seeds)} seeds` : `seed ${String(found.seeds)}`;
    console.log(`${verdict.padEnd(28)} ${planted.name}: ${(found.what ?? '').slice(0, 160)}`);
  }
  console.log(`${String(chosen.length - missed)} of ${String(chosen.length)} planted bugs found`);
  return missed === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
