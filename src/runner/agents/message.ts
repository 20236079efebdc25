import type { AgentMessage, MessageAnswer } from '../../api/contract/runner.ts';
import type { RunnerContext } from '../context.ts';

const refused = (reason: string): MessageAnswer => ({ state: 'not_possible', reason });

/**
 * Puts words into a live session, once per key. Never pretends: a runtime without a way in (`script`, `command`) says so,
 * and the town keeps the words with the agent's mail.
 */
export async function tell(ctx: RunnerContext, message: AgentMessage): Promise<MessageAnswer> {
  const live = ctx.live.get(message.attempt);
  if (live === undefined || live.pid === null || live.exiting) return refused('there is no live session');
  if (live.request.epoch !== message.epoch) return refused('the session is of another epoch');
  if (ctx.said.has(message.attempt, message.key)) return { state: 'delivered', reason: 'put into the session before' };
  if (live.say === null) return refused(`the runtime "${live.request.runtime}" takes no words in mid-session`);
  // Before the words: said twice is worse than not at all, and the town keeps what it does not know to be said.
  ctx.said.add(message.attempt, message.key);
  try {
    await live.say(message, message.mode);
  } catch (error) {
    ctx.said.remove(message.attempt, message.key);
    throw error;
  }
  return { state: 'delivered', reason: 'put into the session' };
}
