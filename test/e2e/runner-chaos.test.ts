import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import type { StartAgent } from '../../src/api/contract/runner.ts';
import { sleep, TestTown } from '../fixtures/runner/town.ts';

/** Kills spread over the phases of a start-work-done-exit cycle. */
const ROUNDS = 8;
const STEP_MS = 31;
const AGENTS = 5;

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

const exits = (start: StartAgent): number =>
  town.brain.deliveries.filter((key) => key === `exited:${start.attempt}`).length;

it('loses and doubles nothing, whenever its runner is killed', async () => {
  const all: StartAgent[] = [];
  await town.spawnRunner();
  for (let round = 0; round < ROUNDS; round += 1) {
    const starts = Array.from({ length: AGENTS }, (_, index) =>
      town.startRequest({
        script: `echo ${String(round)} > r${String(round)}-${String(index)}.txt; sleep 0.0${String(index)}`,
      }),
    );
    all.push(...starts);
    await Promise.all(starts.map((start) => town.post(start)));
    // A third each: kills during the start, around the work, around the end, whatever the speed of the machine.
    if (round % 3 === 1) await town.fact('agent_started', starts[0]);
    if (round % 3 === 2) await town.fact('agent_done', starts[0]);
    await sleep(Math.floor(round / 3) * STEP_MS);
    await town.killRunner();
    await town.spawnRunner();
    expect(town.alive()).toEqual([]);
    if (existsSync(town.bare)) town.git(['fsck', '--no-dangling', '--connectivity-only'], town.bare);
  }
  let done = 0;
  for (const start of all) {
    const { exit } = await town.fact('agent_exited', start);
    const claims = town.brain.recorded.filter((fact) => fact.type === 'agent_done' && fact.attempt === start.attempt);
    expect(claims.length).toBeLessThanOrEqual(1);
    const claim = claims[0];
    if (claim?.type === 'agent_done') {
      done += 1;
      const ref = `refs/gt/attempts/${start.bead}/${String(start.epoch)}`;
      expect(town.git(['rev-parse', ref], town.bare)).toBe(claim.head);
      expect(town.git(['rev-list', '--count', `${town.targetSha}..${ref}`], town.bare)).toBe('1');
    }
    if (exit.dirty) expect(exit.rescueRef).not.toBeNull();
    expect(town.brain.recorded.filter((fact) => fact.key === `exited:${start.attempt}`)).toHaveLength(1);
    expect(exits(start)).toBeGreaterThanOrEqual(1);
  }
  console.log(
    `killed ${String(ROUNDS)} times under ${String(all.length)} agents: ${String(done)} done, ${String(all.length - done)} ended as lost, 0 stuck`,
  );
  const last = Array.from({ length: AGENTS }, () => town.startRequest({ script: 'echo end > end.txt' }));
  await Promise.all(last.map((start) => town.post(start)));
  for (const start of last) await town.fact('agent_done', start);
  for (const start of last) await town.fact('agent_exited', start);
  const pool = join(town.root, '.gastown', 'worktrees', 'app');
  expect(readdirSync(pool).filter((name) => name.includes('.found-'))).toEqual([]);
  expect(existsSync(join(pool, `w${String(3 * AGENTS)}`))).toBe(false);
});
