import type { ChildProcess } from 'node:child_process';

import { pause } from '../clock.ts';
import type { RunnerContext } from '../context.ts';
import { kill } from '../process/sweep.ts';
import { errorText } from '../text.ts';
import { endAttempt } from './exit.ts';
import type { LiveAgent } from './live.ts';
import { orderEnd } from './stop.ts';
import { Transcript } from './transcript.ts';

/** Longest delay that a timer takes; a wall clock limit beyond it is none. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Follows a process to its end: output into the transcript, the wall clock limit, and the exit pipeline. */
export function watch(
  ctx: RunnerContext,
  live: LiveAgent,
  what: {
    readonly child: ChildProcess;
    readonly transcript: string;
    readonly stdin: string | null;
    /** For a program that is spoken to; null: it gets its prompt on standard input, which is closed after it. */
    readonly talk: ((transcript: Transcript) => void) | null;
  },
): void {
  const { child } = what;
  const transcript = new Transcript(what.transcript, ctx.clock);
  live.transcript = transcript;
  // What a program says on its protocol becomes events; the conversation writes them into the transcript.
  for (const stream of what.talk === null ? [child.stdout, child.stderr] : [child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      transcript.write(chunk);
    });
    stream?.on('error', () => undefined);
  }
  child.stdin?.on('error', () => undefined);
  if (what.talk === null) child.stdin?.end(what.stdin ?? '');
  else what.talk(transcript);
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  child.once('error', () => undefined);
  child.once('exit', (exitCode, signal) => {
    // At once, while the group id can't belong to anybody else.
    if (child.pid !== undefined) kill(-child.pid, 'SIGKILL');
    try {
      live.conversation?.over();
    } catch (error) {
      ctx.log.error('end of a conversation not recorded', { attempt: live.request.attempt, error: errorText(error) });
    }
    void Promise.race([closed, pause(ctx.timings.pipeDrainMs)]).then(() =>
      endAttempt(ctx, live, {
        exitCode,
        signal,
        cause: live.ending ?? 'exited',
        lastLine: live.breach ?? transcript.lastLine,
      }),
    );
  });
  live.wallClock = setTimeout(
    () => {
      void orderEnd(ctx, live, { ending: 'wall_clock', graceMs: ctx.timings.stopGraceMs });
    },
    Math.min(live.request.wallClockMs, TIMER_MS_MAX),
  );
  live.wallClock.unref();
}
