import { NETWORK_REFUSED } from '../../core/facts.ts';
import { LIMIT_REASON_CHARS_MAX } from '../limits.ts';
import type { RunnerContext } from '../context.ts';
import type { Failure } from '../runtimes/session.ts';
import type { LiveAgent } from './live.ts';

/** Of a question that a person reads. */
const QUESTION_CHARS_MAX = 500;
/** Of a fact's key (limit of the contract); names of hosts may be longer. */
const KEY_CHARS_MAX = 200;

/** Tells the rig that the agent asks whether it may, or (null) that it was answered. */
export function recordWaiting(ctx: RunnerContext, live: LiveAgent, title: string | null): void {
  const { rig, attempt, epoch, agent } = live.request;
  const atMs = ctx.clock.now();
  live.questions += 1;
  live.asks = title !== null;
  const question =
    title === null
      ? null
      : `May it? ${title.slice(0, QUESTION_CHARS_MAX)} Answer with: gt nudge ${agent} yes (or: no, and why)`;
  ctx.facts.record({
    type: 'agent_event',
    key: `asks:${attempt}:${String(live.questions)}`,
    rig,
    attempt,
    epoch,
    eventType: title === null ? 'answered' : 'waiting',
    atMs,
    activeTools: [],
    statusMessage: question,
  });
}

/** The agent's program wanted to go where its network does not lead. */
export function recordRefusal(ctx: RunnerContext, live: LiveAgent, target: string, why: string): void {
  const { rig, attempt, epoch } = live.request;
  live.transcript?.write(Buffer.from(`[network] refused: ${target}: ${why}\n`));
  ctx.log.warn('a way out of a sandbox was refused', { attempt, target });
  ctx.facts.record({
    type: 'agent_event',
    key: `refused:${attempt}:${target}`.slice(0, KEY_CHARS_MAX),
    rig,
    attempt,
    epoch,
    eventType: NETWORK_REFUSED,
    atMs: ctx.clock.now(),
    activeTools: [...(live.conversation?.activeTools ?? [])],
    statusMessage: `refused: ${target}: ${why}`.slice(0, QUESTION_CHARS_MAX),
  });
}

/** The provider refuses or fails: nobody's fault here, so the town parks what draws on it instead of charging the bead. */
export function recordLimit(ctx: RunnerContext, live: LiveAgent, failure: Failure): void {
  const { rig, attempt, epoch } = live.request;
  ctx.facts.record({
    type: 'quota_limited',
    key: `limited:${attempt}:session`,
    rig,
    attempt,
    epoch,
    resetsAtMs: failure.resetsAtMs === null ? null : Math.round(failure.resetsAtMs),
    reason: failure.message.slice(0, LIMIT_REASON_CHARS_MAX),
    atMs: ctx.clock.now(),
  });
}
