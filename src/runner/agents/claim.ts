import { attemptRef } from '../../core/model/agent.ts';
import { trusted } from '../../core/model/ids.ts';
import type { Fact } from '../../api/contract/runner.ts';
import type { RunnerContext } from '../context.ts';
import { resolve, type RigRepo, setRef } from '../git/repos.ts';
import { secretMessage, secretsIn } from '../secrets/scan.ts';
import { refused, type Refusal } from './claim-check.ts';
import type { DoneIntent, StoredIntent } from './intent.ts';
import type { LiveAgent } from './live.ts';
import { siteOf } from './site.ts';

/** `recorded`: the fact is durable under this key. `refused`: nothing changed but maybe a commit that was asked for. */
export type ClaimOutcome = { readonly state: 'recorded'; readonly key: string } | Refusal;

/**
 * Checks an agent's "done" against git and records it as a fact. Made by the call and again by the exit pipeline from the
 * intent file: both come to the same fact key, so it counts once. Errors: `GitError` when the worktree is gone.
 */
export async function makeClaim(ctx: RunnerContext, live: LiveAgent, stored: StoredIntent): Promise<ClaimOutcome> {
  const row = ctx.attempts.get(live.request.attempt);
  const number = (row?.claims ?? 0) + 1;
  if (row !== null && row.intentHash === stored.hash) return { state: 'recorded', key: claimKey(live, row.claims) };
  const repo = ctx.repos.known(live.request.rig);
  const site = siteOf(ctx, live);
  if (site === null)
    return refused(
      'no_worktree',
      'This attempt has no worktree.',
      'Nothing can be handed in; the attempt did not start.',
    );
  const checked = await site.check(stored.intent);
  if ('state' in checked) return checked;
  if (checked.head !== null) {
    const ref = attemptRef(trusted.bead(live.request.sourceBead), live.request.epoch);
    if (row !== null && row.intentHash !== null && (await resolve(repo.place, ref)) === checked.head) {
      ctx.attempts.claimedAgain(live.request.attempt, stored.hash);
      return { state: 'recorded', key: claimKey(live, row.claims) };
    }
    const refusal = await secretIn(live, repo, checked.head);
    if (refusal !== null) return refusal;
    await setRef(repo, ref, checked.head);
    await ctx.pushes.push(live.request.repo, ref, ctx.timings.pushWaitMs);
  }
  const key = claimKey(live, number);
  ctx.db.tx(() => {
    ctx.attempts.claimed(live.request.attempt, stored.hash);
    ctx.facts.record(factOf(live, { key, head: checked.head, intent: stored.intent, nowMs: ctx.clock.now() }));
  });
  return { state: 'recorded', key };
}

/** Before its ref is set and shared: its agent still lives and can take it out. */
async function secretIn(live: LiveAgent, repo: RigRepo, head: string): Promise<Refusal | null> {
  const found = await secretsIn(repo, live.request.repo, [head, ...(live.base === null ? [] : [`^${live.base}`])]);
  if (found.length === 0) return null;
  const { message, next } = secretMessage(found);
  return refused('secret_found', message, next);
}

const claimKey = (live: LiveAgent, number: number): string => `done:${live.request.attempt}:${String(number)}`;

function factOf(
  live: LiveAgent,
  what: { readonly key: string; readonly head: string | null; readonly intent: DoneIntent; readonly nowMs: number },
): Fact {
  const { rig, attempt, epoch } = live.request;
  const common = { key: what.key, rig, attempt, epoch, atMs: what.nowMs };
  if (what.head === null) return { type: 'agent_no_change', ...common, reason: what.intent.noChange ?? '' };
  return { type: 'agent_done', ...common, head: what.head, summary: what.intent.summary };
}
