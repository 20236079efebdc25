import type { Decision, RigAction, Verdicts } from '../actions.ts';
import type { RigView } from '../view.ts';

/**
 * A rule of the rig: a pure function of what is recorded and the time. It never asks what woke it, may run twice with
 * the same result, and returns the moment to look again instead of polling.
 */
export type RigVerdicts = Verdicts<RigAction>;
export type RigDecision = Decision<RigAction>;
export type RigRule = (view: RigView, id: string, nowMs: number) => RigVerdicts;

/** Nothing to do until something changes. */
export const NOTHING: RigVerdicts = { decisions: [], wakeAtMs: null };

export const act = (...decisions: readonly RigDecision[]): RigVerdicts => ({ decisions, wakeAtMs: null });
export const wakeAt = (atMs: number): RigVerdicts => ({ decisions: [], wakeAtMs: atMs });
