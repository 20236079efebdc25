import { repoOf, type Sim } from './context.ts';
import { PLAIN } from './git-model.ts';
import type { PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

interface Where {
  readonly chance: Prng;
  readonly rig: string;
  /** The rig merges by pull requests. */
  readonly isPull: boolean;
}

/** Somebody moves or deletes a branch of the town, merges it by hand, or pushes it to the target past the train. */
export function meddle(sim: Sim, step: PersonStep, { chance, rig, isPull }: Where): void {
  const repo = repoOf(sim, rig);
  const prefix = step.kind === 'drop_feature' ? 'gt/hq-' : 'gt/';
  const branch = chance.pick([...repo.branches.keys()].filter((name) => name.startsWith(prefix)));
  const head = branch === undefined ? null : repo.head(branch);
  if (branch === undefined || head === null) return;
  const drops = step.kind === 'drop_feature' || (step.kind === 'move_branch' && chance.chance(0.2));
  if (drops) repo.branches.delete(branch);
  else if (step.kind === 'move_branch') {
    const keeps = chance.chance(0.7);
    // A train merges what was verified, whatever becomes of the branch; a pull request is what people push to its branch.
    if (!keeps && isPull) sim.ledger.discarded.add(branch.slice('gt/'.length));
    const parents = [keeps ? head : repo.mustHead()];
    repo.branches.set(branch, repo.commit({ ...PLAIN, parents, by: 'person', bead: null, salt: step.id }).id);
  } else mergeByHand(sim, rig, { head, salt: step.id });
}

function mergeByHand(sim: Sim, rig: string, { head, salt }: { readonly head: string; readonly salt: string }): void {
  const repo = repoOf(sim, rig);
  const before = repo.mustHead();
  if (repo.conflicts(before, head).length > 0 || repo.isAncestor(head, before)) return;
  // What is ahead of the target may be pushed to it as it is: by an agent that thinks it should, or by a person.
  const isPushed = repo.isAncestor(before, head);
  const to = isPushed ? head : repo.commit({ ...PLAIN, parents: [before, head], by: 'person', bead: null, salt }).id;
  repo.branches.set(repo.target, to);
  sim.ledger.targetMoved(rig, repo, before, to);
}
