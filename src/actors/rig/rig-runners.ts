import type { TownToRig } from '../../core/messages.ts';
import { LOCAL_RUNNER, type RunnerFacts } from '../../core/model/runner.ts';
import { trusted, type AttemptId } from '../../core/model/ids.ts';
import { attemptEntity, SCHEDULE } from '../../core/refs.ts';
import { reviveWaiting } from '../../store/outbox-revival.ts';
import { dropRunner, putRunner } from '../../store/runner-store.ts';
import type { Turn } from '../kernel/turn.ts';
import { concernsRunner } from '../runner-orders.ts';
import type { RigContext } from './rig-context.ts';

/** What the town tells of a runner. */
export function runnerNews(
  rig: RigContext,
  turn: Turn,
  message: Extract<TownToRig, { readonly type: 'runner_changed' | 'runner_removed' }>,
): void {
  if (message.type === 'runner_changed') runnerChanged(rig, turn, message.runner);
  else runnerRemoved(rig, turn, message.id);
}

/**
 * What became of a runner. A new instance proves the loss of what ran under the old one, so it is asked about at once;
 * what that one was ordered died with it or was never heard, so no order to it waits for its poll or its back-off. A runner
 * that is down gives its git work to another one, likewise at once.
 */
export function runnerChanged(rig: RigContext, turn: Turn, runner: RunnerFacts): void {
  const before = putRunner(rig.sql, runner);
  const isNew = runner.instance !== null && before?.instance !== runner.instance;
  if (isNew)
    for (const attempt of attemptsAt(rig, runner.id))
      turn.kernel.setTimer(attemptEntity(attempt), 'observe', turn.nowMs);
  if (isNew || (before !== null && before.state !== runner.state)) reviveOrders(rig, turn, runner.id);
  // Also for other labels or another capacity: what waited may fit now.
  turn.dirty(SCHEDULE);
}

/** The runner is none any more: whatever it had is gone, and goes on elsewhere. */
function runnerRemoved(rig: RigContext, turn: Turn, id: string): void {
  dropRunner(rig.sql, id);
  for (const attempt of attemptsAt(rig, id)) {
    // What never ran is expected to cost nothing from now on.
    rig.writer(turn).weigh(attempt, { process_gone: 1 });
    turn.kernel.setTimer(attemptEntity(attempt), 'observe', null);
    turn.kernel.settleEffect(`start:${attempt}`, 'done', 'its runner was removed', turn.nowMs);
    turn.kernel.settleEffect(`stop:${attempt}`, 'done', 'its runner was removed', turn.nowMs);
    turn.journal({
      entity: attemptEntity(attempt),
      action: 'attempt_gone',
      rule: 'events',
      reason: `its runner "${id}" was removed`,
    });
  }
  reviveOrders(rig, turn, id);
  turn.dirty(SCHEDULE);
}

function reviveOrders(rig: RigContext, turn: Turn, runner: string): void {
  const runnerOf = (attempt: AttemptId): string | null => rig.view.attempt(attempt)?.runner ?? null;
  reviveWaiting(rig.sql, turn.nowMs, (effect) => concernsRunner(effect, runner, runnerOf));
}

function attemptsAt(rig: RigContext, runner: string): readonly ReturnType<typeof trusted.attempt>[] {
  return rig.sql
    .all('SELECT id FROM attempts WHERE process_gone = 0 AND runner = ?', runner)
    .map((row) => trusted.attempt(String(row['id'])));
}

/** The runner beside the daemon, as its supervisor knows it. */
export const localRunner = (rig: RigContext, instance: string): RunnerFacts => {
  const row = rig.view.runners().find((runner) => runner.id === LOCAL_RUNNER);
  return { id: LOCAL_RUNNER, instance, state: row?.state ?? 'healthy', capacity: null, labels: row?.labels ?? [] };
};
