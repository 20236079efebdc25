import type { Verdict } from '../../api/contract/runner.ts';
import { TownError } from '../../core/errors.ts';
import { pause, within } from '../clock.ts';
import type { RunnerContext } from '../context.ts';
import { stateDir } from '../paths.ts';
import { makeClaim } from './claim.ts';
import { type DoneIntent, ensureIntent, removeIntent } from './intent.ts';
import type { LiveAgent } from './live.ts';

const PENDING: Verdict = {
  verdict: 'pending',
  message: 'Your work is recorded and safe; the verdict is still out. You may end now: it counts without you.',
};

/**
 * An agent's `gt done`: preflight, durable fact, then the verdict as far as it comes within `waitMs`.
 * Errors (precondition): `dirty_worktree`, `no_commits`, `not_descendant`, `work_exists`, `no_worktree`.
 */
export async function handleDone(
  ctx: RunnerContext,
  live: LiveAgent,
  call: { readonly intent: DoneIntent; readonly waitMs: number },
): Promise<Verdict> {
  const folder = stateDir(ctx.paths, live.request.attempt);
  const key = await live.claiming.run(() => recordClaim(ctx, live, call.intent));
  const verdict = await awaitVerdict(ctx, live, { key, untilMs: performance.now() + call.waitMs });
  if (verdict.verdict === 'refused') {
    ctx.attempts.claimRefused(live.request.attempt);
    await removeIntent(folder);
  }
  return verdict;
}

async function recordClaim(ctx: RunnerContext, live: LiveAgent, intent: DoneIntent): Promise<string> {
  if (live.ending !== null || live.exiting) throw over();
  const folder = stateDir(ctx.paths, live.request.attempt);
  const stored = await ensureIntent(folder, intent, ctx.clock.now());
  if (stored === null) {
    await removeIntent(folder);
    throw new TownError('precondition', 'bad_intent', {
      message: "The intent file done.json can't be read.",
      next: 'Call gt done again.',
    });
  }
  const outcome = await makeClaim(ctx, live, stored);
  if (outcome.state === 'recorded') return outcome.key;
  await removeIntent(folder);
  throw new TownError('precondition', outcome.code, { message: outcome.message, next: outcome.next });
}

async function awaitVerdict(
  ctx: RunnerContext,
  live: LiveAgent,
  wait: { readonly key: string; readonly untilMs: number },
): Promise<Verdict> {
  const leftMs = (): number => Math.max(0, Math.floor(wait.untilMs - performance.now()));
  // Asked before the fact has arrived, the brain would judge the claim before it.
  if (
    (await within(
      ctx.facts.delivered(wait.key).then(() => true),
      leftMs(),
    )) === null
  )
    return PENDING;
  const { rig, attempt, epoch } = live.request;
  for (;;) {
    const waitMs = Math.min(leftMs(), 60_000);
    const verdict = await within(
      ctx.brain.verdict({ rig, attempt, epoch, waitMs }).catch(() => null),
      waitMs + 1_000,
    );
    if (verdict !== null && (verdict.verdict !== 'pending' || leftMs() === 0)) return verdict;
    if (leftMs() === 0) return PENDING;
    await pause(ctx.timings.retryMsMin);
  }
}

function over(): TownError {
  return new TownError('conflict', 'superseded', {
    message: 'This attempt is being ended.',
    next: 'Stop working: whatever is in the worktree is being kept.',
  });
}
