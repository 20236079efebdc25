import type { Brain } from './brain.ts';
import { repoOf, type Sim } from './context.ts';
import { PLAIN } from './git-model.ts';

/** People hear that a train stands after a while, and mend its target then. */
const MENDED_MS = 20 * 60_000;
const LOOKS_MAX = 24;

/** Somebody pushes what breaks the gates of the target itself, and somebody mends it later. */
export function reddenTarget(
  sim: Sim,
  rig: string,
  { id, durationMs }: { readonly id: string; readonly durationMs: number },
): void {
  const { target: branch } = repoOf(sim, rig);
  push(sim, rig, { branch, bad: true, salt: `${id} bad` });
  sim.time.after(durationMs, `the target of ${rig} is mended`, () => {
    mendBranch(sim, rig, { branch, salt: `${id} fix` });
  });
}

interface Push {
  readonly branch: string;
  readonly bad: boolean;
  readonly salt: string;
}

function push(sim: Sim, rig: string, { branch, bad, salt }: Push): void {
  const repo = repoOf(sim, rig);
  const before = repo.head(branch);
  if (before === null) return;
  const made = repo.commit({ ...PLAIN, bad, fixes: !bad, salt, parents: [before], by: 'person', bead: null });
  repo.branches.set(branch, made.id);
  sim.note(`outside: ${salt} on ${branch} in ${rig}`);
  if (branch === repo.target) sim.ledger.targetMoved(rig, repo, before, made.id);
}

/** A feature branch that began at a red target is red as well. */
function mendBranch(sim: Sim, rig: string, { branch, salt }: { readonly branch: string; readonly salt: string }): void {
  const repo = repoOf(sim, rig);
  const head = repo.head(branch);
  if (head !== null && repo.isRed(head)) push(sim, rig, { branch, bad: false, salt });
}

/** People do what the escalation about a red target asks for; without it the train tries again for ever. */
export function mendTargets(sim: Sim, brain: Brain, looks = 1): void {
  sim.time.after(MENDED_MS, 'people look after red targets', () => {
    let stands = false;
    for (const { address, sql } of brain.databases.values()) {
      if (!address.startsWith('rig/')) continue;
      const rig = address.slice('rig/'.length);
      for (const { target } of sql.all(`SELECT target FROM trains WHERE state = 'red' AND escalated = 1`)) {
        stands = true;
        mendBranch(sim, rig, { branch: String(target), salt: `mended after ${String(looks)} looks` });
      }
    }
    if (stands || looks < 3) if (looks < LOOKS_MAX) mendTargets(sim, brain, looks + 1);
  });
}
