/** What a figure means depends on the machine: its cores, its load, and how fast its disk makes a write durable. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';

const SYNCS = 50;

export function machineFigures(folder: string): Readonly<Record<string, string>> {
  const load = loadavg()[0] ?? 0;
  return {
    cores: String(availableParallelism()),
    'load (1 min)': load.toFixed(1),
    fsync: `${String(Math.round(syncsPerSecond(folder)))} per s`,
  };
}

function syncsPerSecond(folder: string): number {
  const path = join(folder, 'fsync-probe');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096, 1);
  const began = performance.now();
  for (let index = 0; index < SYNCS; index += 1) {
    writeSync(file, block);
    fsyncSync(file);
  }
  const tookMs = performance.now() - began;
  closeSync(file);
  rmSync(path);
  return (SYNCS * 1_000) / tookMs;
}
