import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { ExitRecord } from '../../api/contract/exit-record.ts';
import { rescueRef } from '../../core/model/agent.ts';
import { trusted } from '../../core/model/ids.ts';
import { pause } from '../clock.ts';
import type { RunnerContext } from '../context.ts';
import { writeAtomic } from '../files.ts';
import type { Rescued } from '../git/rescue.ts';
import { boxFolder, removeBox } from '../isolation/box.ts';
import { removeContainer } from '../isolation/container.ts';
import { closeWay } from '../isolation/way.ts';
import { EXIT_TRIES_MAX, LAST_LINE_CHARS_MAX } from '../limits.ts';
import { stateDir } from '../paths.ts';
import { sweep } from '../process/sweep.ts';
import { errorText } from '../text.ts';
import { makeClaim } from './claim.ts';
import { missingPart } from './failed-part.ts';
import { readIntent } from './intent.ts';
import type { LiveAgent } from './live.ts';
import { reportUsage } from './usage.ts';
import { isTownSession } from './session.ts';
import { NOT_STORED } from './set-aside.ts';
import { siteOf } from './site.ts';

/** How the process ended, before anything was looked at. */
export interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly cause: ExitRecord['cause'];
  readonly lastLine: string;
  /** What kept it from running, where that is known. */
  readonly failed?: ExitRecord['failed'];
}

const NOTHING: Rescued = { ref: null, head: null, ahead: null, dirty: false };

/**
 * Ends an attempt: nothing of the process is left, a done intent counts, the work is rescued and verified, the record is
 * durable, the brain will be told, the worktree goes back. Each step may be repeated, so after a crash the whole is simply
 * run again. Never throws: what fails again and again is set aside and said in the record.
 */
export async function endAttempt(ctx: RunnerContext, live: LiveAgent, ended: Ended): Promise<void> {
  // A start that failed after its spawn and the end of that process may both come here.
  if (live.exiting) return;
  live.exiting = true;
  await untilGone(ctx, live);
  await closeWay(boxFolder(ctx.paths, live.request.attempt)).catch(() => undefined);
  await live.transcript?.close();
  const kept = await keepWork(ctx, live);
  // Before the record of the end, so that the brain judges the end with what is known of it.
  await reportUsage(ctx, live, true);
  const exit = exitRecord(ctx, live, { ended, ...kept });
  await writeExitFile(ctx, exit);
  await record(ctx, live, exit);
  if (kept.aside === null && !isTownSession(live.request))
    await ctx.pool.release(ctx.repos.known(live.request.rig), exit.attempt);
  if (kept.aside === null) await removeBox(ctx.paths, exit.attempt);
  // A former runner may have set it aside and died before the end was durable.
  if (kept.aside === null) ctx.setAside.remove(exit.attempt);
  ctx.live.delete(exit.attempt);
  live.finish(exit);
}

/** Without its record an attempt must not be forgotten: a full disk is waited out, the agent's name and bead stay busy. */
async function record(ctx: RunnerContext, live: LiveAgent, exit: ExitRecord): Promise<void> {
  for (;;) {
    try {
      ctx.db.tx(() => {
        ctx.attempts.exited(exit, live.lastActivityAtMs);
        ctx.facts.record({ type: 'agent_exited', key: `exited:${exit.attempt}`, rig: live.request.rig, exit });
      });
      return;
    } catch (error) {
      ctx.log.error('exit record not stored yet', { attempt: exit.attempt, error: errorText(error) });
      await pause(ctx.timings.exitRetryMs);
    }
  }
}

/** Proof that nothing is left is the condition for everything else; it is asked for as long as it takes. */
async function untilGone(ctx: RunnerContext, live: LiveAgent): Promise<void> {
  for (;;) {
    try {
      await sweep({ town: ctx.town.id, runner: ctx.name, attempt: live.request.attempt }, ctx.timings.sweepMs);
      await removeContainer(live.request.sandbox, live.request.attempt);
      return;
    } catch (error) {
      ctx.log.error('processes of an ended agent do not end', {
        attempt: live.request.attempt,
        error: errorText(error),
      });
      await pause(ctx.timings.exitRetryMs);
    }
  }
}

interface Kept {
  readonly rescued: Rescued;
  readonly doneIntent: boolean;
  /** Why the worktree had to be set aside with the work in it. */
  readonly aside: string | null;
}

async function keepWork(ctx: RunnerContext, live: LiveAgent): Promise<Kept> {
  if (isTownSession(live.request)) return { rescued: NOTHING, doneIntent: false, aside: null };
  let problem = '';
  let doneIntent = false;
  for (let attempt = 1; attempt <= EXIT_TRIES_MAX; attempt += 1) {
    try {
      doneIntent = await honourIntent(ctx, live);
      return { rescued: await rescueWork(ctx, live), doneIntent, aside: null };
    } catch (error) {
      problem = errorText(error);
      ctx.log.error('work of an ended agent is not rescued yet', { attempt: live.request.attempt, error: problem });
      if (attempt < EXIT_TRIES_MAX) await pause(ctx.timings.exitRetryMs);
    }
  }
  const path = await setAside(ctx, live, problem);
  // What was committed in a sandbox is in a git directory of its own, which stays with the worktree.
  const box =
    live.request.sandbox === undefined ? '' : ` and, its commits, in ${boxFolder(ctx.paths, live.request.attempt)}`;
  return {
    rescued: NOTHING,
    doneIntent,
    aside: `${NOT_STORED} (${problem}); it is kept in ${path ?? 'its worktree'}${box}`,
  };
}

/** Durable before the record of the end is: a disk that is full is waited out. */
async function setAside(ctx: RunnerContext, live: LiveAgent, problem: string): Promise<string | null> {
  for (;;) {
    try {
      return ctx.db.tx(() => {
        ctx.setAside.add(live.request, { base: live.base, problem, atMs: ctx.clock.now() });
        return ctx.pool.keep(ctx.repos.known(live.request.rig), live.request.attempt);
      });
    } catch (error) {
      ctx.log.error('work not set aside yet', { attempt: live.request.attempt, error: errorText(error) });
      await pause(ctx.timings.exitRetryMs);
    }
  }
}

/** Makes the claim that the agent wrote down but could not (or could not be seen to) make. */
async function honourIntent(ctx: RunnerContext, live: LiveAgent): Promise<boolean> {
  const stored = await readIntent(stateDir(ctx.paths, live.request.attempt));
  if (stored === null) return false;
  const outcome = await live.claiming
    .run(() => makeClaim(ctx, live, stored))
    .catch((error: unknown) => {
      ctx.log.warn('a done intent can not be honoured', { attempt: live.request.attempt, error: errorText(error) });
      return null;
    });
  return outcome?.state === 'recorded';
}

async function rescueWork(ctx: RunnerContext, live: LiveAgent): Promise<Rescued> {
  const site = siteOf(ctx, live);
  if (site === null) return NOTHING;
  const ref = rescueRef(trusted.bead(live.request.sourceBead), trusted.attempt(live.request.attempt));
  const rescued = await live.saving.run(() => site.rescue({ ref, atMs: ctx.clock.now() }));
  if (rescued.ref !== null) await ctx.pushes.push(live.request.repo, rescued.ref, ctx.timings.pushWaitMs);
  await site.dropBranches(rescued.ref);
  return rescued;
}

/** What kept it from running, so that this is charged and not the bead. Nothing for a process that worked. */
function failedPart(
  ctx: RunnerContext,
  live: LiveAgent,
  { ended, rescued, doneIntent }: Kept & { readonly ended: Ended },
): Pick<ExitRecord, 'failed'> {
  if (ended.failed !== undefined) return { failed: ended.failed };
  const kind = ended.cause === 'exited' && !doneIntent ? live.failure?.kind : undefined;
  // What the machine lost of a former session is nobody's failure; the next attempt begins a new one.
  if (kind === 'session') return { failed: 'machine' };
  if (kind === 'login' || kind === 'start') return { failed: 'program' };
  if (live.startedAtMs === null || isTownSession(live.request)) return {};
  const run = { ...ended, ranMs: ctx.clock.now() - live.startedAtMs };
  const failed = missingPart(live.request, run, { ...rescued, doneIntent });
  return failed === null ? {} : { failed };
}

/** Why its session ended badly says more than what its program printed last. */
const failureLine = (live: LiveAgent, { ended, doneIntent }: Kept & { readonly ended: Ended }): string | null =>
  ended.cause === 'exited' && !doneIntent && live.failure !== null
    ? live.failure.message.replaceAll(/\s+/g, ' ')
    : null;

function exitRecord(ctx: RunnerContext, live: LiveAgent, what: Kept & { readonly ended: Ended }): ExitRecord {
  const { rescued, ended } = what;
  return {
    ...failedPart(ctx, live, what),
    attempt: live.request.attempt,
    epoch: live.request.epoch,
    exitCode: ended.exitCode,
    signal: ended.signal,
    cause: ended.cause,
    lastLine: (what.aside ?? failureLine(live, what) ?? ended.lastLine).slice(0, LAST_LINE_CHARS_MAX),
    startedAtMs: live.startedAtMs,
    endedAtMs: ctx.clock.now(),
    head: rescued.head,
    base: live.base,
    ahead: rescued.ahead,
    dirty: rescued.dirty,
    rescueRef: rescued.ref,
    doneIntent: what.doneIntent,
  };
}

/** For people and for a lost database; the database decides. */
async function writeExitFile(ctx: RunnerContext, exit: ExitRecord): Promise<void> {
  const folder = stateDir(ctx.paths, exit.attempt);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeAtomic(join(folder, 'exit.json'), `${JSON.stringify(exit, null, 2)}\n`);
  } catch (error) {
    ctx.log.error('exit file not written', { attempt: exit.attempt, error: errorText(error) });
  }
}
