/** What a town of Durable Objects costs, counted in a real workerd by the ports themselves. */
import { sha } from '../support/fake-runner.ts';
import { rigConfig } from '../support/rig-config.ts';
import type { TownBench } from './bench.ts';
import type { Counts } from './world.ts';
import { newBead, person } from './words.ts';

const BEADS = 20;
const HOUR = 3_600_000;
const HEARTBEAT_MS = 10_000;

export interface Figures {
  /** From sling to merge, with an agent that says nothing in between; the mean of twenty. */
  readonly perBead: Counts;
  /** An agent at work for an hour that shows activity every ten seconds. */
  readonly perAgentHour: Counts;
  /** A day in which one bead waits for a person. */
  readonly perWaitingDay: Counts;
  /** A day at rest. */
  readonly perRestDay: Counts;
}

async function during(bench: TownBench, work: () => Promise<void>): Promise<Counts> {
  const before = { ...bench.world.counts };
  await work();
  const after = bench.world.counts;
  const difference = (name: keyof Counts): number => after[name] - before[name];
  return {
    statements: difference('statements'),
    rowsRead: difference('rowsRead'),
    rowsWritten: difference('rowsWritten'),
    requests: difference('requests'),
    alarms: difference('alarms'),
    alarmsSet: difference('alarmsSet'),
  };
}

const each = (counts: Counts, among: number): Counts => ({
  statements: Math.round(counts.statements / among),
  rowsRead: Math.round(counts.rowsRead / among),
  rowsWritten: Math.round(counts.rowsWritten / among),
  requests: Math.round(counts.requests / among),
  alarms: Math.round(counts.alarms / among),
  alarmsSet: Math.round(counts.alarmsSet / among),
});

export async function figuresOf(bench: TownBench): Promise<Figures> {
  await bench.start([rigConfig('api', { polecatsMax: 4 })]);
  await bench.advance(HOUR);
  const beads = await during(bench, () => workOff(bench));
  // Timers of ended work, leases and looks after it, run out first.
  await bench.advance(24 * HOUR);
  const rest = await during(bench, () => bench.advance(24 * HOUR));
  const { id } = await bench.gateway.createBead(newBead('waits', { sling: false }), person());
  await bench.advance(HOUR);
  const waiting = await during(bench, () => bench.advance(24 * HOUR));
  await bench.gateway.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: 'done' }, person());
  await bench.gateway.createBead(newBead('long'), person());
  await bench.settle();
  const hour = await during(bench, async () => {
    for (let passed = 0; passed < HOUR; passed += HEARTBEAT_MS) {
      for (const { request } of bench.runner.running()) bench.runner.active(request.attempt);
      await bench.advance(HEARTBEAT_MS);
    }
  });
  return { perBead: each(beads, BEADS), perAgentHour: hour, perWaitingDay: waiting, perRestDay: rest };
}

async function workOff(bench: TownBench): Promise<void> {
  let left = BEADS;
  for (let made = 0; made < BEADS; made += 1) await bench.gateway.createBead(newBead(`bead ${String(made)}`), person());
  while (left > 0) {
    await bench.settle();
    const running = bench.runner.running();
    if (running.length === 0) throw new Error('nobody works');
    for (const { request } of running) {
      const head = sha(0x2000 + left);
      bench.runner.done(request.attempt, head);
      bench.runner.exit(request.attempt, { head });
      left -= 1;
    }
    await bench.advance(1_000);
  }
  await bench.settle();
}
