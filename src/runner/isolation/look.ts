import { checkClaim, type Claimant, type Refusal } from '../agents/claim-check.ts';
import type { DoneIntent } from '../agents/intent.ts';
import { resolve, type RigRepo } from '../git/repos.ts';
import { rescue } from '../git/rescue.ts';
import type { Worktree } from '../git/worktree.ts';

/** What is asked about an isolated attempt's work. */
export type Look =
  | {
      readonly op: 'check';
      readonly base: string;
      readonly target: { readonly rig: string; readonly branch: string };
      readonly intent: DoneIntent;
      readonly claimant: Claimant;
    }
  | {
      readonly op: 'rescue';
      readonly ref: string;
      readonly base: string;
      readonly agent: string;
      readonly atMs: number;
      readonly keepStashes?: boolean | undefined;
    };

/** Made by a process that the agent may have got the better of: nothing in it is believed. */
export type LookAnswer =
  | { readonly op: 'check'; readonly outcome: { readonly head: string | null } | Refusal }
  | {
      readonly op: 'rescue';
      readonly rescued: {
        readonly commit: string | null;
        readonly head: string | null;
        readonly ahead: number | null;
        readonly dirty: boolean;
      };
    }
  | { readonly op: 'failed'; readonly message: string };

/** Looks at the work, as at any other: the attempt's own git directory stands for the rig's clone. Errors: `GitError`. */
export async function look(repo: RigRepo, tree: Worktree, order: Look): Promise<LookAnswer> {
  if (order.op === 'check')
    return {
      op: 'check',
      outcome: await checkClaim(order.claimant, {
        repo,
        tree,
        base: order.base,
        target: order.target,
        intent: order.intent,
      }),
    };
  const { ref, head, ahead, dirty } = await rescue(repo, {
    tree,
    ref: order.ref,
    base: order.base,
    agent: order.agent,
    atMs: order.atMs,
    keepStashes: order.keepStashes === true,
  });
  const commit = ref === null ? null : await resolve(repo.place, ref);
  return { op: 'rescue', rescued: { commit, head, ahead, dirty } };
}
