import { spokenNudge } from '../../core/nudge-words.ts';
import { NUDGE_KEPT_MS } from '../../core/limits.ts';
import { attemptEntity } from '../../core/refs.ts';
import { RunnerRefusal } from '../../ports/runner-client.ts';
import type { EffectOutcome } from '../kernel/program.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';
import { runnerAt } from '../runner-at.ts';
import { RigPost } from './rig-post.ts';

/** What became of a nudge. `refused`: the session can't take words, or there is no session any more. */
export interface NudgeResult {
  readonly type: 'nudge_result';
  readonly attempt: string;
  readonly key: string;
  readonly result: 'delivered' | 'refused' | 'expired';
  readonly reason: string;
}

/** Brings a nudge to the runner while it is worth something. `queue` never goes there. */
export async function performNudge(rig: RigContext, key: string): Promise<EffectOutcome> {
  const nudge = rig.nudges.byKey(key);
  if (nudge === null || nudge.state !== 'pending') return { state: 'done' };
  const settle = (result: NudgeResult['result'], reason: string): EffectOutcome => ({
    state: 'done',
    event: {
      key: `nudge_result:${key}`,
      type: 'own.nudge_result',
      subject: `attempt:${nudge.attempt}`,
      payload: { type: 'nudge_result', attempt: nudge.attempt, key, result, reason } satisfies NudgeResult,
    },
  });
  const attempt = rig.view.attempt(nudge.attempt);
  if (attempt === null || attempt.endedAtMs !== null) return settle('expired', 'its attempt has ended');
  if (rig.ports.clock.now() >= nudge.expiresAtMs) return settle('refused', 'it could not be delivered in time');
  if (nudge.mode === 'queue') return settle('refused', 'asked to wait with the mail');
  const runner = runnerAt(rig, attempt.runner);
  if (runner.message === undefined) return settle('refused', 'this runner takes no words');
  try {
    const answer = await runner.message({
      attempt: attempt.id,
      epoch: attempt.epoch,
      key,
      text: spokenNudge(nudge),
      mode: nudge.mode,
    });
    return settle(answer.state === 'delivered' ? 'delivered' : 'refused', answer.reason);
  } catch (error) {
    if (error instanceof RunnerRefusal) return settle('refused', error.message);
    throw error;
  }
}

/** Words that can't be put into the session wait with the agent's mail; a ladder's own nudge is followed by a mail anyway. */
export function nudgeSettled(rig: RigContext, turn: Turn, event: NudgeResult): void {
  const nudge = rig.nudges.byKey(event.key);
  if (nudge === null) return;
  const toMail = event.result === 'refused' && !nudge.key.startsWith('gupp:');
  const state = event.result === 'delivered' ? 'delivered' : toMail ? 'queued' : 'expired';
  if (!rig.nudges.settle(nudge.key, state, turn.nowMs)) return;
  if (toMail)
    new RigPost(rig).send(
      turn,
      {
        key: `nudge:${nudge.key}`,
        from: nudge.from,
        to: nudge.agent,
        kind: 'note',
        subject: 'Nudge',
        body: nudge.text,
        replyTo: null,
        expiresAtMs: turn.nowMs + NUDGE_KEPT_MS,
      },
      'unlimited',
    );
  turn.journal({
    entity: attemptEntity(nudge.attempt),
    action: 'nudge',
    rule: 'nudge',
    reason: event.reason,
    to: state,
  });
}
