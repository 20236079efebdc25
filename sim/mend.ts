import type { Sql } from '../src/ports/sql.ts';
import type { Brain } from './brain.ts';
import { repoOf, type Sim } from './context.ts';

/** People see what was escalated to them after a while, and look again whether it helped. */
const LOOK_MS = 20 * 60_000;
const LOOKS_MAX = 12;

/**
 * People do what the escalation about a lost feature branch asks for: they push its last known good commit again. Without
 * it the rig looks every few minutes whether somebody did, for ever, and the story has no end.
 */
export function mendFeatures(sim: Sim, brain: Brain, looks = 1): void {
  sim.time.after(LOOK_MS, 'people look after feature branches', () => {
    const found = [...brain.databases.values()].filter(
      ({ address, sql }) => address.startsWith('rig/') && mendRig(sim, address.slice('rig/'.length), sql),
    );
    if (found.length > 0 && looks < LOOKS_MAX) mendFeatures(sim, brain, looks + 1);
  });
}

/** True when one was lost there. */
function mendRig(sim: Sim, rig: string, sql: Sql): boolean {
  const repo = repoOf(sim, rig);
  const lost = sql.all(`SELECT branch, head_sha FROM features WHERE state = 'lost' AND escalated = 1`);
  for (const { branch, head_sha: head } of lost) {
    sim.note(`outside: ${String(branch)} is mended in ${rig}`);
    repo.branches.set(String(branch), head === null ? repo.mustHead() : String(head));
  }
  return lost.length > 0;
}
