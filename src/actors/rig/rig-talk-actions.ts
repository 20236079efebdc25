import type { RigAction } from '../../core/actions.ts';
import { unreachable } from '../../core/assert.ts';
import { NUDGE_EXPIRES_AFTER_MS } from '../../core/limits.ts';
import { attemptEntity, MAILBOX } from '../../core/refs.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { Change } from './change.ts';
import type { RigContext } from './rig-context.ts';
import { RigPost } from './rig-post.ts';

type Of<Type extends RigAction['type']> = Extract<RigAction, { readonly type: Type }>;
/** Words between agents, people and the rig. */
export type TalkAction = Of<'gupp_step' | 'gupp_reset' | 'send_nudge' | 'send_mail' | 'return_mail'>;

/** Nudges of one session go one after the other. */
const nudgeLane = (attempt: string): string => `nudge:${attempt}`;

export function performTalk(rig: RigContext, turn: Turn, writer: RigWriter, action: TalkAction): Change {
  switch (action.type) {
    case 'gupp_step':
      writer.updateAttempt(action.attempt, {
        gupp_rung: action.rung,
        gupp_since: action.sinceMs,
        gupp_at: turn.nowMs,
      });
      return { entity: attemptEntity(action.attempt), to: `rung ${String(action.rung)}` };
    case 'gupp_reset':
      writer.updateAttempt(action.attempt, { gupp_rung: null, gupp_since: null, gupp_at: null });
      if (rig.view.mail.end(action.mailKey, 'withdrawn', turn.nowMs)) turn.dirty(MAILBOX);
      return { entity: attemptEntity(action.attempt), to: 'rung 0' };
    case 'send_nudge':
      return sendNudge(rig, turn, action);
    case 'send_mail':
      new RigPost(rig).send(turn, action.mail, 'unlimited');
      return { entity: `mail:${action.mail.key}`, to: action.mail.to };
    case 'return_mail':
      return { entity: `mail:${action.mail}`, to: new RigPost(rig).expire(turn, action.mail).from };
    default:
      return unreachable(action, 'action');
  }
}

function sendNudge(rig: RigContext, turn: Turn, action: Of<'send_nudge'>): Change {
  const attempt = rig.view.attempt(action.attempt);
  if (attempt === null || attempt.endedAtMs !== null) throw new GuardFailed(`${action.attempt} has ended`);
  const isNew = rig.nudges.put({
    id: rig.mintNudge(turn.nowMs),
    key: action.key,
    agent: attempt.agentId,
    attempt: attempt.id,
    from: action.from,
    text: action.text,
    mode: action.mode,
    createdAtMs: turn.nowMs,
    expiresAtMs: turn.nowMs + NUDGE_EXPIRES_AFTER_MS,
  });
  if (isNew)
    turn.effect({
      key: `nudge:${action.key}`,
      kind: 'nudge',
      lane: nudgeLane(attempt.id),
      payload: { nudge: action.key },
    });
  return { entity: attemptEntity(attempt.id), to: action.mode };
}
