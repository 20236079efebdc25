import type { AgentReport, StartAgent, StartAnswer } from '../../api/contract/runner.ts';
import { conflict } from '../../core/errors.ts';
import { unreachable } from '../../core/assert.ts';
import type { RunnerContext } from '../context.ts';
import { checkBranch } from '../../core/branch-name.ts';
import { checkUrl } from '../git/names.ts';
import { pathSegment } from '../paths.ts';
import { launch } from './launch.ts';
import { LiveAgent } from './live.ts';

/**
 * Takes a start order: recorded durably, answered at once, carried out in the background.
 * Errors (conflict): `stale_epoch`, `busy`, `stopped`; (usage): `bad_name`, `bad_url`, `bad_branch`.
 */
export function acceptStart(ctx: RunnerContext, asked: StartAgent): StartAnswer {
  checkNames(asked);
  const nowMs = ctx.clock.now();
  const request = byOurClock(asked, nowMs);
  const verdict = ctx.attempts.accept(request, nowMs);
  switch (verdict) {
    case 'new': {
      const live = new LiveAgent(request);
      ctx.live.set(request.attempt, live);
      void launch(ctx, live);
      return { state: 'accepted' };
    }
    case 'repeat':
      return { state: 'accepted' };
    case 'stopped':
      throw conflict(
        'stopped',
        `The attempt ${request.attempt} was stopped; it can't start any more.`,
        'Start a new attempt with a newer epoch.',
      );
    case 'stale_epoch':
      throw conflict(
        'stale_epoch',
        `Epoch ${String(request.epoch)} is not newer than one already seen for this bead or agent.`,
        "Use the rig's next epoch.",
      );
    case 'busy':
      throw conflict(
        'busy',
        'Another attempt of this agent or bead still has its process or its rescue here.',
        'Stop it first and wait until it is gone; then try again.',
      );
    default:
      return unreachable(verdict, 'verdict on a start');
  }
}

/** State of attempts, in the order asked for. */
export function report(ctx: RunnerContext, ids: readonly string[]): readonly AgentReport[] {
  return ids.map((attempt) => {
    const row = ctx.attempts.get(attempt);
    if (row === null)
      return { attempt, state: 'unknown', epoch: 0, pid: null, base: null, lastOutputAtMs: null, exit: null };
    const live = ctx.live.get(attempt);
    const lastOutputAtMs = live?.lastActivityAtMs ?? row.lastOutputAtMs;
    return {
      attempt,
      state: row.state,
      epoch: row.epoch,
      pid: row.pid,
      base: row.base,
      lastOutputAtMs,
      exit: row.exit,
    };
  });
}

function checkNames(request: StartAgent): void {
  pathSegment(request.attempt, 'an attempt');
  pathSegment(request.rig, 'a rig');
  pathSegment(request.sourceBead, 'a bead');
  pathSegment(request.bead, 'a bead');
  checkBranch(request.branch);
  if (request.repo === null) return;
  pathSegment(request.repo.rig, 'a rig');
  checkBranch(request.repo.targetBranch);
  checkUrl(request.repo.url);
}

/** The deadline as a moment of this machine, which is what is kept. An older town names only its own moment. */
export const byOurClock = (start: StartAgent, nowMs: number): StartAgent =>
  start.startWithinMs === undefined ? start : { ...start, startDeadlineMs: nowMs + start.startWithinMs };
