import { TAKEOVER_AFTER_MS } from '../limits.ts';
import { sourceOf, type Bead } from '../model/bead.ts';
import { isClosedToDispatch, scopesAt } from '../breaker-scope.ts';
import type { BreakerScope } from '../model/breaker.ts';
import { LOCAL_RUNNER } from '../model/runner.ts';
import type { AttemptFacts, BreakerFacts, RunnerLoad, RigView } from '../view.ts';

/** What one pass over the line has done already. */
export interface PassSoFar {
  /** Processes that it gave to each runner. */
  readonly given: ReadonlyMap<string, number>;
  /** Half-open scopes that have their probe. */
  readonly probed: ReadonlySet<BreakerScope>;
  readonly nowMs: number;
}

/**
 * Who takes a bead's process: where its lineage's files are, else the least loaded that fits and whose breakers let it
 * through. Null: nobody fits now.
 */
export function chooseRunner(view: RigView, bead: Bead, { given, probed, nowMs }: PassSoFar): string | null {
  const known = view.runners();
  // Before any was met: the start waits for the one beside the daemon, where there is one.
  if (known.length === 0) return view.hasLocalRunner() ? LOCAL_RUNNER : null;
  const { runnerLabels, polecatsMax } = view.config();
  const used = (runner: RunnerLoad): number => runner.used + (given.get(runner.id) ?? 0);
  const fit = known.filter(
    (runner) =>
      runner.state === 'healthy' &&
      hasLabels(runner, runnerLabels ?? []) &&
      closedScopes(view, bead, runner.id, nowMs).length === 0 &&
      !scopesAt(view, bead, runner.id).some((scope) => probed.has(scope)) &&
      (runner.capacity === null || used(runner) < runner.capacity),
  );
  const last = view.lastRunnerOf(sourceOf(bead));
  if (fit.some((runner) => runner.id === last)) return last;
  const load = (runner: RunnerLoad): number => used(runner) / Math.max(1, runner.capacity ?? polecatsMax);
  return fit.toSorted((a, b) => load(a) - load(b) || (a.id < b.id ? -1 : 1))[0]?.id ?? null;
}

/** The open breakers of a runner, and of the bead's runtime there. */
const closedScopes = (view: RigView, bead: Bead, runner: string, nowMs: number): readonly BreakerFacts[] =>
  scopesAt(view, bead, runner)
    .map((scope) => view.breaker(scope))
    .filter((breaker) => isClosedToDispatch(breaker, nowMs));

/** When breakers close every runner that would take a bead: the one that is tried again first. */
export function brokenRunners(view: RigView, bead: Bead, nowMs: number): BreakerFacts | null {
  const labels = view.config().runnerLabels ?? [];
  const firsts: BreakerFacts[] = [];
  for (const runner of view.runners()) {
    if (runner.state !== 'healthy' || !hasLabels(runner, labels)) continue;
    // Of a runner, what opens last: only then it takes the bead.
    const [last] = closedScopes(view, bead, runner.id, nowMs).toSorted((a, b) => b.retryAtMs - a.retryAtMs);
    if (last === undefined) return null;
    firsts.push(last);
  }
  return firsts.toSorted((a, b) => a.retryAtMs - b.retryAtMs)[0] ?? null;
}

/**
 * Where git work of the rig runs: at `preferred` while it answers, else always at the same one, so that one clone holds
 * what the others need next: the local one, else the first by name. A draining runner still takes git work.
 */
export function chooseJobRunner(view: RigView, preferred: string | null): string {
  const usable = answering(view);
  const wanted = [preferred, LOCAL_RUNNER].find((id) => id !== null && usable.includes(id));
  return wanted ?? usable[0] ?? preferred ?? LOCAL_RUNNER;
}

/** All that may have git work of the rig now; the local one before any was met. */
export function jobRunners(view: RigView): readonly string[] {
  return view.runners().length === 0 ? [LOCAL_RUNNER] : answering(view);
}

/** A person took its rights: nobody there can be told anything any more. */
export const isRemoved = (known: readonly { readonly id: string }[], runner: string): boolean =>
  runner !== LOCAL_RUNNER && known.every(({ id }) => id !== runner);

/**
 * Whether work of an attempt is looked for at another runner than the one that made it, while that one may still come
 * back: what is not found there is no verdict yet, since a claim is said before its ref has reached the origin. After the
 * takeover deadline, or when its runner was removed, it is.
 */
export function isElsewhere(
  view: RigView,
  attempt: Pick<AttemptFacts, 'runner' | 'claimedAtMs'>,
  { runner, nowMs }: { readonly runner: string; readonly nowMs: number },
): boolean {
  if (runner === attempt.runner || isRemoved(view.runners(), attempt.runner)) return false;
  return nowMs < (attempt.claimedAtMs ?? 0) + TAKEOVER_AFTER_MS;
}

/** Runners that answer, by name. */
const answering = (view: RigView): readonly string[] =>
  view
    .runners()
    .filter((runner) => runner.state === 'healthy' || runner.state === 'draining')
    .map((runner) => runner.id)
    .toSorted();

/** Why nothing can be given out now, or null when some runner could take work. */
export function noRunnerReason(view: RigView): string | null {
  const known = view.runners();
  if (known.length === 0) return view.hasLocalRunner() ? null : 'no runner is registered';
  const labels = view.config().runnerLabels ?? [];
  const labelled = known.filter((runner) => hasLabels(runner, labels));
  if (labelled.length === 0) return `no runner has the labels ${labels.join(', ')}`;
  const healthy = labelled.filter((runner) => runner.state === 'healthy');
  if (healthy.length === 0)
    return `no runner takes work: ${labelled.map((runner) => `${runner.id} is ${runner.state}`).join(', ')}`;
  const isFull = healthy.every((runner) => runner.capacity !== null && runner.used >= runner.capacity);
  return isFull ? 'every runner is full' : null;
}

const hasLabels = (runner: RunnerLoad, labels: readonly string[]): boolean =>
  labels.every((label) => runner.labels.includes(label));
