import type { AgentId, AttemptId, BeadId, ConvoyId, EscalationId } from './model/ids.ts';

/**
 * What reconcile can look at. A reference is text (`bead:app-7k3qf`), so that it is also the key of a timer and a
 * journal entity; `parseRef` is the only way back.
 */
export type Ref = string;

export const beadRef = (id: BeadId): Ref => `bead:${id}`;
export const attemptEntity = (id: AttemptId): Ref => `attempt:${id}`;
export const agentRef = (id: AgentId): Ref => `agent:${id}`;
/** The merge train of one target branch. */
export const trainRef = (target: string): Ref => `train:${target}`;
export const convoyRef = (id: ConvoyId): Ref => `convoy:${id}`;
export const escalationRef = (id: EscalationId): Ref => `escalation:${id}`;
/** A provider's account and model; a budget of the town. */
export const quotaRef = (scope: string): Ref => `quota:${scope}`;
export const budgetRef = (id: string): Ref => `budget:${id}`;
/** The rig's scheduler: free slots against ready beads. */
export const SCHEDULE: Ref = 'schedule:';
/** Mail of an actor that nobody has read yet; its timer is the next expiry. */
export const MAILBOX: Ref = 'mailbox:';
/** The town's questions to rigs and runner, while they have live work. */
export const WATCHDOG: Ref = 'watchdog:';
/** The mayor's session: its process, its open sitting, what waits for it. */
export const MAYOR_REF: Ref = 'mayor:';
/** The safety net that looks at all live entities. */
export const RESYNC: Ref = 'resync:';

const KINDS = new Set([
  'bead',
  'attempt',
  'agent',
  'train',
  'convoy',
  'escalation',
  'quota',
  'budget',
  'schedule',
  'mailbox',
  'watchdog',
  'mayor',
  'resync',
]);

export function parseRef(ref: Ref): { readonly kind: string; readonly id: string } {
  const colon = ref.indexOf(':');
  const kind = ref.slice(0, colon);
  return { kind: KINDS.has(kind) ? kind : 'unknown', id: ref.slice(colon + 1) };
}
