import type { RunnerFacts } from '../../core/model/runner.ts';
import type { AttemptId } from '../../core/model/ids.ts';
import { attemptEntity, MAYOR_REF } from '../../core/refs.ts';
import { reviveWaiting } from '../../store/outbox-revival.ts';
import { dropRunner, putRunner, readRunnerLoads } from '../../store/runner-store.ts';
import type { Turn } from '../kernel/turn.ts';
import { concernsRunner } from '../runner-orders.ts';
import type { MayorContext } from './mayor-context.ts';

/**
 * The town says who its runners are: all of them, so that nothing of it can be missed. One that is missing was removed,
 * and whatever it had is gone; a new instance proves the loss of what ran under the old one, so it is asked at once.
 */
export function runnersChanged(mayor: MayorContext, turn: Turn, runners: readonly RunnerFacts[]): void {
  const names = new Set(runners.map(({ id }) => id));
  for (const { id } of readRunnerLoads(mayor.sql)) if (!names.has(id)) removed(mayor, turn, id);
  for (const runner of runners) changed(mayor, turn, runner);
  turn.dirty(MAYOR_REF);
}

function changed(mayor: MayorContext, turn: Turn, runner: RunnerFacts): void {
  const before = putRunner(mayor.sql, runner);
  const isNew = runner.instance !== null && before?.instance !== runner.instance;
  if (isNew || before?.state !== runner.state) reviveOrders(mayor, turn, runner.id);
  const attempt = mayor.store.unresolved();
  if (isNew && attempt?.runner === runner.id) turn.kernel.setTimer(attemptEntity(attempt.id), 'observe', turn.nowMs);
}

/** No order to this runner waits for its back-off. */
export function reviveOrders(mayor: MayorContext, turn: Turn, runner: string): void {
  const runnerOf = (attempt: AttemptId): string | null => mayor.store.attempt(attempt)?.runner ?? null;
  reviveWaiting(mayor.sql, turn.nowMs, (effect) => concernsRunner(effect, runner, runnerOf));
}

function removed(mayor: MayorContext, turn: Turn, id: string): void {
  dropRunner(mayor.sql, id);
  // Orders to it have nobody left to hear them: they end now, not at their back-off.
  reviveOrders(mayor, turn, id);
  const attempt = mayor.store.unresolved();
  if (attempt?.runner !== id) return;
  mayor.store.setGone(attempt.id, null);
  turn.kernel.setTimer(attemptEntity(attempt.id), 'observe', null);
  for (const kind of ['stop', 'start'])
    turn.kernel.settleEffect(`${kind}:${attempt.id}`, 'done', 'its runner was removed', turn.nowMs);
  turn.journal({
    entity: MAYOR_REF,
    action: 'attempt_gone',
    rule: 'events',
    reason: `its runner "${id}" was removed`,
  });
}
