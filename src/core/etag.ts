import { notFound, TownError } from './errors.ts';
import type { Caller } from './commands.ts';
import type { Budget } from './budget.ts';
import type { Escalation } from './model/escalation.ts';
import type { Runner } from './model/runner.ts';
import type { RigName } from './model/ids.ts';
import type { RigSummary } from './queries.ts';
import { fingerprint } from './text.ts';

/**
 * The version of a thing, as its ETag says it without the quotes: the number that its row counts, or a sum of what
 * people may change of it. It tells versions of one thing apart; it is not for caches.
 */
export const versionTag = (thing: { readonly version: number }): string => String(thing.version);

export const textTag = (text: string): string => fingerprint(text);

export const escalationTag = (item: Escalation): string =>
  fingerprint(JSON.stringify([item.severity, item.message, item.repeats, item.acknowledgedAtMs, item.resolvedAtMs]));

export const budgetTag = ({ id, amount, source }: Budget & { readonly source: string }): string =>
  fingerprint(JSON.stringify([id, amount, source]));

export const runnerTag = ({ id, url, draining, rotating, createdAtMs }: Runner): string =>
  fingerprint(JSON.stringify([id, url, draining, rotating, createdAtMs]));

/**
 * Refuses a change of a thing that is not any more what the caller read (RFC 9110, `If-Match`). Asked in the turn that
 * changes it, so that nobody comes in between. Errors: `stale`.
 */
export function refuseStale(caller: Pick<Caller, 'ifMatch'>, what: string, tag: string | null): void {
  const { ifMatch } = caller;
  if (ifMatch === undefined || (tag !== null && (ifMatch.includes(tag) || ifMatch.includes('*')))) return;
  throw new TownError('stale', 'stale', {
    message: `${what} is not any more what you read: somebody or something changed it meanwhile.`,
    next: 'Read it again, look at what changed, and send your change with the new ETag.',
  });
}

/** Errors: `rig_not_found`. */
export function rigAmong(rigs: readonly RigSummary[], name: RigName): RigSummary {
  const rig = rigs.find((one) => one.id === name);
  if (rig === undefined) throw notFound('rig', name);
  return rig;
}

/** For settings of a rig, which a host writes before the rig hears of them; to be asked in line with other such changes. */
export function refuseStaleRig(caller: Pick<Caller, 'ifMatch'>, rigs: readonly RigSummary[], name: RigName): void {
  if (caller.ifMatch !== undefined) refuseStale(caller, name, rigAmong(rigs, name).tag);
}
