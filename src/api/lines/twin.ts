/**
 * Two processes with one token: a copied machine, or a container that is started beside its former one. Each believes that
 * it is the runner, so the town keeps to the one that it has for as long as that answers, and people are told.
 */
import type { WireRunnerClient } from './wire-runner-client.ts';

/** At most 123 bytes: the reason of a WebSocket's end. */
export const TWIN_REASON = 'another process with this token is connected; give each runner a name of its own';

export const twinText = (id: string): string =>
  `Two processes show the token of the runner "${id}": a copied machine, or one started beside the other. The second is refused, and what it still has is not heard. Stop one of them, or give it a name of its own with "gt runner add"; then resolve this.`;

/**
 * Whether the line in use, on which `present` was met, is of another process than `instance`, and that one is there. One that
 * does not answer is gone; the same process has only lost its former line.
 */
export async function isTwin(inUse: WireRunnerClient, present: string | null, instance: string): Promise<boolean> {
  if (present === instance) return false;
  try {
    return (await inUse.health()).instance !== instance;
  } catch {
    return false;
  }
}
