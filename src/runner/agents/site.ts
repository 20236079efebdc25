import type { StartAgent } from '../../api/contract/runner.ts';
import type { RunnerContext } from '../context.ts';
import { dropOwnBranches } from '../git/branches.ts';
import { isAncestor, type RigRepo, setRef } from '../git/repos.ts';
import { rescue, type Rescued } from '../git/rescue.ts';
import type { Worktree } from '../git/worktree.ts';
import { ownGitOf } from '../isolation/box.ts';
import { Inside } from '../isolation/inside.ts';
import { checkClaim, refused, type Refusal } from './claim-check.ts';
import type { DoneIntent } from './intent.ts';

/** Where the work of one attempt lies, and how it is looked at. */
export interface WorkSite {
  /** The head to claim (null: nothing needs to change), or what is in the way. Errors: `GitError`. */
  check(intent: DoneIntent): Promise<{ readonly head: string | null } | Refusal>;
  /** Stores all work in a ref of the rig's clone. Errors: `GitError`: then nothing may be deleted. */
  rescue(what: SaveOrder): Promise<Rescued>;
  /** Removes the branches that it made, where others would meet them; all of them are in `rescued` or in its base. */
  dropBranches(rescued: string | null): Promise<void>;
}

export interface SaveOrder {
  readonly ref: string;
  readonly atMs: number;
  /** The agent lives: its stash stays where it is. */
  readonly keepStashes?: boolean;
}

/** Whose work it is, live or not. */
export interface Worker {
  readonly request: Pick<StartAgent, 'rig' | 'repo' | 'bead' | 'attempt' | 'author' | 'sandbox'>;
  readonly base: string | null;
}

/** Null: it did not come as far as a worktree. */
export function siteOf(ctx: RunnerContext, live: Worker): WorkSite | null {
  const repo = ctx.repos.known(live.request.rig);
  const tree = ctx.pool.ownedTree(repo, live.request.attempt);
  const { base, request } = live;
  if (tree === null || base === null) return null;
  // A worktree is of a repository.
  const target = { rig: request.rig, branch: request.repo?.targetBranch ?? '' };
  const work = { live, repo, tree, base, target };
  return live.request.sandbox === undefined ? linkedSite(work) : isolatedSite(ctx, work);
}

interface Work {
  readonly live: Worker;
  readonly repo: RigRepo;
  readonly tree: Worktree;
  readonly base: string;
  readonly target: { readonly rig: string; readonly branch: string };
}

/** A worktree linked to the rig's clone, which the agent can write as we do. */
function linkedSite({ live, repo, tree, base, target }: Work): WorkSite {
  return {
    check: (intent) => checkClaim(live.request, { repo, tree, base, target, intent }),
    rescue: (what) => rescue(repo, { ...what, tree, base, agent: live.request.author.name }),
    dropBranches: (rescued) => dropOwnBranches(repo, tree, { safe: [base, ...(rescued === null ? [] : [rescued])] }),
  };
}

/**
 * A worktree whose git directory is the agent's own. Where bubblewrap is, nothing that the agent can write is read by git
 * outside of a sandbox: a look at it is a process inside, which names commits, and these are fetched by their ids. Where it
 * is not (a container, a wrapper), git reads that directory here, after its settings were written anew. What is said is the
 * agent's word; what it hands in is checked again here.
 */
function isolatedSite(ctx: RunnerContext, { live, repo, tree, base, target }: Work): WorkSite {
  const { request } = live;
  const own = ownGitOf(ctx.paths, request.attempt, tree);
  const inside = new Inside({ town: ctx.town.id, runner: ctx.name, repo, own });
  return {
    check: async (intent) => {
      const { bead, attempt, author } = request;
      const answer = await inside.ask({ op: 'check', base, target, intent, claimant: { bead, attempt, author } });
      if (answer.op !== 'check') throw new Error('the sandbox answered something else');
      const { outcome } = answer;
      if ('state' in outcome || outcome.head === null) return outcome;
      await inside.take(outcome.head);
      if (outcome.head !== base && (await isAncestor(repo.place, base, outcome.head))) return outcome;
      return refused(
        'not_descendant',
        `${outcome.head.slice(0, 12)} does not contain the commit that this work began from.`,
        'Put your commits on top of $GT_BASE_SHA, then call gt done again.',
      );
    },
    rescue: async (what) => {
      const answer = await inside.ask({ op: 'rescue', ...what, base, agent: request.author.name });
      if (answer.op !== 'rescue') throw new Error('the sandbox answered something else');
      const { commit, ...rescued } = answer.rescued;
      if (rescued.head !== null) await inside.take(rescued.head);
      if (commit === null) return { ...rescued, ref: null };
      await inside.take(commit);
      await setRef(repo, what.ref, commit);
      return { ...rescued, ref: what.ref };
    },
    // They are in its own git directory, which goes with it.
    dropBranches: () => Promise.resolve(),
  };
}
