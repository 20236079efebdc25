import type { ChildProcess } from 'node:child_process';

import type { StartAgent } from '../../api/contract/runner.ts';
import { RUNTIME_PRESETS } from '../../core/runtime-presets.ts';
import type { RunnerContext } from '../context.ts';
import type { RuntimeStart } from '../runtimes/runtime.ts';
import type { FoundSession } from '../store/sessions.ts';
import { Conversation } from './conversation.ts';
import type { LiveAgent } from './live.ts';
import type { Transcript } from './transcript.ts';

const RESUMED =
  'Your session was ended in the middle of this work and goes on now. What you committed is in this worktree, and what you did not as far as it could be put back: look at "git status" and "git log" first. This is the order, as it stands now:';

/**
 * False for an attempt that is shut in with nothing outside for it to write: its home, with the session's files, goes with
 * its box, so that there is nothing to take up again.
 */
export const keepsSessions = ({ sandbox }: Pick<StartAgent, 'sandbox'>): boolean =>
  sandbox === undefined || sandbox.write.length > 0;

/** A session of the same bead and runtime that may be taken up again, unless somebody asked for a new one. */
export async function formerSession(ctx: RunnerContext, request: StartAgent): Promise<FoundSession | null> {
  if (request.fresh === true) {
    ctx.sessions.forget(request);
    return null;
  }
  // Its end is told a moment before its folder is free, and the session is found only from there.
  const before = [...ctx.live.values()].filter(
    (live) => live.exiting && live.request.rig === request.rig && live.request.bead === request.bead,
  );
  await Promise.all(before.map((live) => live.ended));
  return ctx.sessions.find(request);
}

/** What begins the conversation with a process, once its transcript is there; null for a program that is not spoken to. */
export function talkOf(
  ctx: RunnerContext,
  live: LiveAgent,
  of: {
    readonly child: ChildProcess;
    readonly start: RuntimeStart & { readonly cwd: string; readonly isResumed: boolean };
  },
): ((transcript: Transcript) => void) | null {
  const { session, cwd, isResumed } = of.start;
  if (session === undefined) return null;
  const { request } = live;
  const nudge = (request.preset ?? RUNTIME_PRESETS[request.runtime])?.nudge ?? 'queue';
  return (transcript) => {
    const conversation = new Conversation(ctx, live, { child: of.child, transcript, cwd, session });
    live.conversation = conversation;
    live.say = (words, mode) => conversation.say(words, mode, nudge);
    conversation.begin(isResumed ? `${RESUMED}\n\n${request.prompt}` : request.prompt);
  };
}
