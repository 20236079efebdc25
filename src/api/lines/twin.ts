/**
 * Two processes with one token: a copied machine, or a container that is started beside its former one. Each believes that
 * it is the runner, so the town keeps to the one that it has for as long as that answers, and people are told.
 */
import type { RunnerGateway } from '../../ports/runner-gateway.ts';
import type { WireRunnerClient } from './wire-runner-client.ts';

/** At most 123 bytes: the reason of a WebSocket's end. */
export const TWIN_REASON =
  'another process with this token has the line, or had it last; give each runner a name of its own';

export const twinText = (id: string): string =>
  `Two processes show the token of the runner "${id}": a copied machine, or one started beside the other. The second is refused, and what it still has is not heard. Stop one of them, or give it a name of its own with "gt runner add"; then resolve this.`;

interface Asking {
  readonly instance: string;
  /** The line in use, and the process that was met on it; null: there is none. */
  readonly inUse: { readonly client: WireRunnerClient; readonly present: string | null } | null;
}

/**
 * Whether the line of a runner belongs to another process than `instance`. One in use does, while its process answers; the
 * same process has only lost its former line. Without an answer, or without a line after a restart of the town or a cut, the
 * first to come gets it, unless people are told of two: then it is kept for the process that had it.
 */
export async function isTwin(
  gateway: Pick<RunnerGateway, 'keptFor'>,
  id: string,
  { instance, inUse }: Asking,
): Promise<boolean> {
  if (inUse?.present === instance) return false;
  const answer = await inUse?.client.health().catch(() => null);
  const owner = answer?.instance ?? (await gateway.keptFor(id));
  return owner !== null && owner !== instance;
}
