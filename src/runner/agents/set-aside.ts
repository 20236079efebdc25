import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { WORK_KEPT } from '../../core/facts.ts';
import { rescueRef } from '../../core/model/agent.ts';
import { trusted } from '../../core/model/ids.ts';
import type { RunnerContext } from '../context.ts';
import { boxesFolder, removeBox } from '../isolation/box.ts';
import type { AsideOrder, SetAside } from '../store/set-aside.ts';
import { errorText } from '../text.ts';
import { siteOf } from './site.ts';

/** How the end of an attempt says that its work is kept where it was made. */
export const NOT_STORED = 'the work could not be stored';

/**
 * Looks at work that could not be stored when its attempt ended (a full disk, a broken repository): it is stored as at any
 * end, and only when that is read back, or when a person gave it up, its worktree is used again and its box removed. What
 * fails again stays as it is. Never throws; a crash in between repeats what was not done.
 */
export async function saveSetAside(ctx: RunnerContext): Promise<void> {
  for (const work of ctx.setAside.list()) {
    const { attempt } = work.request;
    // Its end is still under way.
    if (ctx.live.has(attempt)) continue;
    try {
      if (work.saved === null) await settle(ctx, work);
      await putAway(ctx, work.request);
    } catch (error) {
      ctx.log.warn('work of an ended agent is not stored yet', { attempt, error: errorText(error) });
      ctx.setAside.failedAgain(attempt, errorText(error));
    }
  }
}

/** Stores it, or notes that a person gave it up; the word of it is durable with that. Errors: then nothing may be deleted. */
async function settle(ctx: RunnerContext, work: SetAside): Promise<void> {
  const { request } = work;
  const isGivenUp = await access(givenUpFile(ctx, request.attempt)).then(
    () => true,
    () => false,
  );
  const ref = isGivenUp ? null : await store(ctx, work);
  ctx.db.tx(() => {
    ctx.setAside.saved(request.attempt, ref);
    ctx.facts.record({
      type: 'agent_event',
      key: `kept:${request.attempt}`,
      rig: request.rig,
      attempt: request.attempt,
      epoch: request.epoch,
      eventType: WORK_KEPT,
      atMs: ctx.clock.now(),
      activeTools: [],
      statusMessage: isGivenUp
        ? 'a person gave it up'
        : ref === null
          ? 'there was nothing to store'
          : `stored in ${ref}`,
    });
  });
}

async function store(ctx: RunnerContext, { request, base }: SetAside): Promise<string | null> {
  const site = siteOf(ctx, { request, base });
  if (site === null) throw new Error('it is not known where it lies');
  const ref = rescueRef(trusted.bead(request.sourceBead), trusted.attempt(request.attempt));
  const rescued = await site.rescue({ ref, atMs: ctx.clock.now() });
  if (rescued.head === null) throw new Error('what was checked out is no commit');
  if (rescued.ref !== null) await ctx.pushes.push(request.repo, rescued.ref, ctx.timings.pushWaitMs);
  await site.dropBranches(rescued.ref);
  return rescued.ref;
}

async function putAway(ctx: RunnerContext, { rig, attempt }: AsideOrder): Promise<void> {
  await ctx.pool.release(ctx.repos.known(rig), attempt);
  await removeBox(ctx.paths, attempt);
  await rm(givenUpFile(ctx, attempt), { force: true });
  ctx.setAside.remove(attempt);
}

/** Written by `gt rescue discard`, which nothing but a person runs. */
const givenUpFile = (ctx: RunnerContext, attempt: string): string => join(ctx.paths.givenUp, attempt);

/**
 * Removes boxes that a crash left behind after the end of their attempts was durable, and those of gates. The caller knows
 * that nothing of a former runner is left. One whose attempt is not known, or said that its work is in there, stays.
 */
export async function removeStrayBoxes(ctx: RunnerContext): Promise<void> {
  for (const name of await readdir(boxesFolder(ctx.paths)).catch(() => [])) {
    const exit = ctx.attempts.get(name)?.exit ?? null;
    const isOver = exit !== null && !exit.lastLine.startsWith(NOT_STORED) && !ctx.setAside.has(name);
    // No job of a former runner goes on; each begins again with a box of its own.
    if (isOver || name.startsWith('gate-')) await removeBox(ctx.paths, name);
  }
}
