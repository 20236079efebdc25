import type { Caller, RigCommand } from '../../core/commands.ts';
import { precondition, usage } from '../../core/errors.ts';
import type { TrainState } from '../../core/model/train.ts';
import { trainRef } from '../../core/refs.ts';
import { readTargets } from '../../store/train-store.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

/** Branches that a refusal names: a rig has one target and some feature branches. */
const TARGETS_NAMED = 8;

type TrainCommand = Exclude<RigCommand, { readonly type: 'retry' | 'drain' }>;

/**
 * A person stops a merge train, or lets it go on. The round under way is left alone: its push may be on the wire. A target
 * that was red before the pause is tried again at once after it, so that its escalation ends by what is seen. Errors:
 * `unknown_target`, `train_not_paused`.
 */
export function trainCommand(rig: RigContext, turn: Turn, command: TrainCommand, caller: Caller): void {
  const config = rig.view.config();
  const target = command.target ?? config.targetBranch;
  checkTarget(rig, target);
  const { state: from, redTree, escalated, reason: before } = rig.view.train(target);
  const set = (to: TrainState, reason: string | null): void => {
    const retryAtMs = to === 'red' ? turn.nowMs : null;
    rig.writer(turn).trains.set(target, { state: to, reason, redTree, retryAtMs, by: caller.actor });
    const why = command.type === 'pause_train' ? `by ${caller.actor}: ${command.reason}` : `by ${caller.actor}`;
    turn.journal({ entity: trainRef(target), action: command.type, rule: 'command', reason: why, from, to });
  };
  if (command.type === 'pause_train') {
    // Said again, it is as it was: since when it stands stays true.
    if (from !== 'paused' || before !== command.reason) set('paused', command.reason);
    return;
  }
  if (from !== 'paused')
    throw precondition(
      'train_not_paused',
      `The merge train of ${target} in ${config.name} is not paused; it is ${from}.`,
      'See what each merge request waits for with "gt mq".',
    );
  // With pull requests no tree of the target is known, only that people were told.
  if (redTree === null && !escalated) set('running', null);
  else set('red', 'the target was red before the pause');
}

/** A person says that the target is mended: its red train does not wait for its next try. */
export function tryRedNow(rig: RigContext, turn: Turn, target: string): void {
  const train = rig.view.train(target);
  if (train.state !== 'red') return;
  rig.writer(turn).trains.set(target, { ...train, retryAtMs: turn.nowMs, by: train.changedBy });
}

/** The pause of a misspelt branch would stop nothing, and nobody would see it. */
function checkTarget(rig: RigContext, target: string): void {
  const { name, targetBranch } = rig.view.config();
  const known = [...new Set([targetBranch, ...readTargets(rig.sql)])];
  if (known.includes(target)) return;
  throw usage(
    'unknown_target',
    `Nothing of ${name} is merged into ${target}.`,
    `Name one of ${known.slice(0, TARGETS_NAMED).join(', ')}, or leave it out for ${targetBranch}.`,
    'target',
  );
}
