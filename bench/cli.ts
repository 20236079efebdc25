/** Read commands of `gt`, started by its launcher as a person does, against starting Node to do nothing. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { machineFigures } from './machine.ts';
import { median, spread, type Bench } from './result.ts';
import { startDaemon, withTown } from './town.ts';

const ROUNDS = 21;
/** The first runs fill the cache of compiled code. */
const WARM_UP = 3;
const GOAL_RATIO = 1.5;
const READS = ['status', 'inbox', 'bead list', 'why'] as const;
const LAUNCHER = join(import.meta.dirname, '..', 'gt');

export const cli: Bench = async (rounds) => {
  const count = rounds ?? ROUNDS;
  const rig = { name: 'app', files: { 'README.md': 'app\n' }, gate: null };
  return withTown([rig], async (made) => {
    await startDaemon(made);
    const cache = mkdtempSync(join(tmpdir(), 'gt-bench-cache-'));
    const env: NodeJS.ProcessEnv = { ...process.env, XDG_CACHE_HOME: cache };
    delete env['NODE_COMPILE_CACHE'];
    const seen = new Map<string, number[]>(READS.map((read) => [read, []]));
    const baseline: number[] = [];
    const measure = (isKept: boolean): void => {
      const node = timed(process.execPath, ['-e', '0'], env);
      if (isKept) baseline.push(node);
      for (const read of READS) {
        const took = timed(LAUNCHER, [...read.split(' '), '--town', made.town.paths.root], env);
        if (isKept) seen.get(read)?.push(took);
      }
    };
    try {
      for (let round = 0; round < WARM_UP + count; round += 1) measure(round >= WARM_UP);
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
    const ratios = [...seen.values()].map((values) => median(values) / median(baseline));
    const ratio = Math.max(...ratios);
    return {
      bench: 'cli',
      figures: {
        ...Object.fromEntries([...seen].map(([read, values]) => [`gt ${read}`, spread(values)])),
        'node -e 0': spread(baseline),
        ...machineFigures(made.folder),
      },
      goal: `each at most ${String(GOAL_RATIO)} times the start of Node`,
      holds: ratio <= GOAL_RATIO,
      ratio,
      ratioOf: 'slowest read command : node -e 0',
    };
  });
};

function timed(program: string, args: readonly string[], env: NodeJS.ProcessEnv): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const tookMs = performance.now() - began;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}: ${stderr.toString()}`);
  return tookMs;
}
