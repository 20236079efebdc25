/** What a delivery of the live stream costs the daemon, against one bare write to each socket (goal G13). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineFigures } from './machine.ts';
import { median, type Bench } from './result.ts';

const ROUNDS = 3;
const READERS = 500;
const UPDATES = 100;
const GOAL = 1.2;

const SCRIPT = join(import.meta.dirname, 'baselines', 'stream-server.ts');

export const stream: Bench = async (rounds) => {
  const seen: Record<'ours' | 'raw', number[]> = { ours: [], raw: [] };
  let bytes = 0;
  for (let round = 0; round < (rounds ?? ROUNDS); round += 1)
    for (const kind of ['ours', 'raw'] as const) {
      const told = await perDelivery(kind);
      seen[kind].push(told.us);
      bytes = told.bytes;
    }
  const ratio = median(seen.ours) / median(seen.raw);
  return {
    bench: 'stream',
    figures: {
      'readers, updates': `${String(READERS)}, ${String(UPDATES)}`,
      'bytes of an update': String(bytes),
      'CPU per delivery': `${median(seen.ours).toFixed(2)} µs`,
      'CPU per bare write': `${median(seen.raw).toFixed(2)} µs`,
      ...machineFigures(tmpdir()),
    },
    goal: `at most ${String(GOAL)} times a bare write to the socket`,
    holds: ratio <= GOAL,
    ratio,
    ratioOf: 'CPU of the serving process per delivery, ours over the bare write',
  };
};

async function perDelivery(kind: 'ours' | 'raw'): Promise<{ readonly us: number; readonly bytes: number }> {
  const child = fork(SCRIPT, [kind, String(READERS), String(UPDATES)]);
  try {
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    const answers = Array.from({ length: READERS }, () =>
      request(url, { agent: false }, (answer) => answer.resume()).on('error', () => undefined),
    );
    for (const call of answers) call.end();
    const [{ cpuUs, bytes }] = (await once(child, 'message')) as [{ cpuUs: number; bytes: number }];
    for (const call of answers) call.destroy();
    return { us: cpuUs / (READERS * UPDATES), bytes };
  } finally {
    child.kill();
  }
}
