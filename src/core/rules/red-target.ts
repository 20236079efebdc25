import type { RigAction } from '../actions.ts';
import type { Train } from '../model/train.ts';
import { trainRef } from '../refs.ts';
import type { RedGate } from './gate-verdict.ts';

/** Cause of the escalation about a target that fails its own gates; one, however much waits for it. */
export const trainCause = (target: string): string => `train:${target}`;

interface Red {
  readonly target: string;
  /** What is red there; null: nobody looked at the target by itself this time. */
  readonly red: RedGate | null;
  readonly tree: string | null;
  readonly retryAtMs: number;
}

/** Nobody's work is blamed for it: the train stands, and a person is told once. */
export function targetIsRed(train: Train, { target, red, tree, retryAtMs }: Red): readonly RigAction[] {
  const reason = red === null ? (train.reason ?? 'the target is red') : `gate ${red.name} is red on ${target} itself`;
  const state: RigAction = { type: 'train_state', target, state: 'red', reason, redTree: tree, retryAtMs };
  return train.escalated ? [state] : [state, tellRed(target, reason, red)];
}

/** Something passed: what was red is mended. */
export function goesOn({ target, escalated }: Train): readonly RigAction[] {
  const running: RigAction = {
    type: 'train_state',
    target,
    state: 'running',
    reason: null,
    redTree: null,
    retryAtMs: null,
  };
  return escalated ? [running, { type: 'resolve_escalation', causeKey: trainCause(target), bead: null }] : [running];
}

const tellRed = (target: string, reason: string, red: RedGate | null): RigAction => ({
  type: 'raise_escalation',
  causeKey: trainCause(target),
  severity: 'high',
  category: 'merge',
  subject: trainRef(target),
  message: `The merge train of ${target} stands: ${reason}, without any of the work that waits. Mend ${target}, or sling the repair; new work is tried at once, and every 5 min ${target} by itself or, in turn, one that waits.${red === null ? '' : `\n\n${red.log}`}`,
});
