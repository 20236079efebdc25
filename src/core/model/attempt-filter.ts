import type { AgentId, AttemptId, BeadId, RigName } from './ids.ts';

/** Which attempts are meant; what is missing excludes none. */
export interface AttemptFilter {
  readonly rig?: RigName | undefined;
  readonly bead?: BeadId | undefined;
  readonly agent?: AgentId | undefined;
  /** Those that began then or later, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** Those before this one in the order, newest first; missing: from the newest on. */
  readonly before?: { readonly startedAtMs: number; readonly id: string } | undefined;
}

/** One attempt of a list. */
export interface AttemptPlace {
  readonly id: AttemptId;
  readonly bead: BeadId;
  readonly agent: AgentId;
  readonly rig: RigName;
  readonly startedAtMs: number;
}

/** Newest first; of those that began together the one with the greater id. */
export const byNewest = (one: AttemptPlace, other: AttemptPlace): number => {
  if (one.startedAtMs !== other.startedAtMs) return other.startedAtMs - one.startedAtMs;
  return one.id < other.id ? 1 : -1;
};
