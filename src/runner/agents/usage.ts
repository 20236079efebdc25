import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { z } from 'zod';

import { nothingOf, sumOfModel, type UsageOfModel } from '../../core/facts.ts';
import { MICRO_USD } from '../../core/usage.ts';
import type { RunnerContext } from '../context.ts';
import { readAgentFile } from '../files.ts';
import { USAGE_BYTES_MAX, USAGE_MODELS_MAX, USAGE_TOKENS_MAX, USAGE_USD_MAX } from '../limits.ts';
import { errorText } from '../text.ts';
import type { LiveAgent } from './live.ts';

/**
 * Where an agent's programs say what they used: one JSON object a line, each for itself, appended by `gt usage` or by any
 * program that knows `$GT_USAGE_FILE`. A file, so that it works without us and survives us.
 */
export const usageFile = (stateDir: string): string => join(stateDir, 'usage.jsonl');

/** Of a model's name (limit of the contract). */
const MODEL_CHARS_MAX = 200;
const tokens = z.number().int().min(0).max(USAGE_TOKENS_MAX);
const reportSchema = z.object({
  tokens_in: tokens.optional(),
  tokens_out: tokens.optional(),
  tokens_cached: tokens.optional(),
  cost_usd: z.number().min(0).max(USAGE_USD_MAX).optional(),
  model: z.string().min(1).max(MODEL_CHARS_MAX).optional(),
  /** A report with a key counts once, however often it is written. */
  key: z.string().min(1).max(200).optional(),
  /** True: the provider refused for lack of quota. */
  limited: z.boolean().optional(),
  /** Epoch milliseconds; missing: not said. */
  limited_until_ms: z.number().int().min(0).optional(),
  reason: z.string().max(2_000).optional(),
});
type Report = z.infer<typeof reportSchema>;

/** Length of a hash that tells one total from the next. */
const SUM_HASH_CHARS = 24;

export interface UsageRead {
  readonly models: readonly UsageOfModel[];
  readonly limits: readonly { readonly line: number; readonly resetsAtMs: number | null; readonly reason: string }[];
}

/** Adds up the lines; one that can't be read counts nothing and hides no other. */
function readReports(text: string): UsageRead {
  const models = new Map<string, UsageOfModel>();
  const seen = new Set<string>();
  const limits: { line: number; resetsAtMs: number | null; reason: string }[] = [];
  for (const [line, source] of text.split('\n').entries()) {
    const report = parse(source);
    if (report === null) continue;
    if (report.key !== undefined) {
      if (seen.has(report.key)) continue;
      seen.add(report.key);
    }
    if (report.limited === true || report.limited_until_ms !== undefined)
      limits.push({ line, resetsAtMs: report.limited_until_ms ?? null, reason: report.reason ?? '' });
    addUp(models, report);
  }
  return { models: [...models.values()], limits };
}

function parse(source: string): Report | null {
  if (source.trim() === '') return null;
  try {
    const report = reportSchema.safeParse(JSON.parse(source));
    return report.success ? report.data : null;
  } catch {
    return null;
  }
}

function addUp(models: Map<string, UsageOfModel>, report: Report): void {
  const more = amountsOf(report);
  if (more === null) return;
  const said = report.model ?? '';
  const name = models.size < USAGE_MODELS_MAX || models.has(said) ? said : '';
  const before = models.get(name) ?? nothingOf(name);
  models.set(name, sumOfModel(before, more));
}

/** What one line says; null when it says nothing of the kind. */
function amountsOf(report: Report): UsageOfModel | null {
  const { tokens_in: tokensIn = 0, tokens_out: tokensOut = 0, tokens_cached: tokensCached = 0, cost_usd: usd } = report;
  const said = { ...nothingOf(''), tokensIn, tokensOut, tokensCached };
  if (usd !== undefined) return { ...said, microUsd: Math.round(usd * MICRO_USD) };
  if (tokensIn + tokensOut + tokensCached === 0) return null;
  return { ...said, unpricedIn: tokensIn, unpricedOut: tokensOut, unpricedCached: tokensCached };
}

/** Tells the brain what the file says, if that is new. Never throws: what can't be read now is read at the end. */
export async function reportUsage(ctx: RunnerContext, live: LiveAgent, isOver: boolean): Promise<void> {
  try {
    const text = (await readComplete(ctx, live, isOver)) ?? Buffer.alloc(0);
    const { used } = live;
    if (text.length <= live.usageBytes && used === live.usedReported) return;
    live.usageBytes = text.length;
    live.usedReported = used;
    const read = readReports(text.toString('utf8'));
    record(ctx, live, { ...read, models: fitting(addModels(read.models, used)), bytes: text.length });
  } catch (error) {
    ctx.log.warn('usage not read', { attempt: live.request.attempt, error: errorText(error) });
  }
}

/** Whole lines only, while somebody may still be writing the last one. */
async function readComplete(ctx: RunnerContext, live: LiveAgent, isOver: boolean): Promise<Buffer | null> {
  const path = usageFile(join(ctx.paths.attempts, live.request.attempt));
  const all = await readAgentFile(path, USAGE_BYTES_MAX);
  return all === null || isOver ? all : all.subarray(0, all.lastIndexOf(0x0a) + 1);
}

function record(ctx: RunnerContext, live: LiveAgent, read: UsageRead & { readonly bytes: number }): void {
  const { rig, attempt, epoch } = live.request;
  const atMs = ctx.clock.now();
  ctx.db.tx(() => {
    if (live.used.length > 0) ctx.sessions.count(live.request, attempt, live.sessionCost);
    // Keys are of the file's content, so that a runner that starts anew says nothing twice.
    if (read.models.length > 0)
      ctx.facts.record({
        type: 'agent_usage',
        key: `usage:${attempt}:${String(read.bytes)}${sumKey(live.used)}`,
        rig,
        attempt,
        epoch,
        models: [...read.models],
        atMs,
      });
    for (const limit of read.limits)
      ctx.facts.record({
        type: 'quota_limited',
        key: `limited:${attempt}:${String(limit.line)}`,
        rig,
        attempt,
        epoch,
        resetsAtMs: limit.resetsAtMs,
        reason: limit.reason,
        atMs,
      });
  });
}

/** What its program said is a total of its own; what the agent's other programs wrote into the file comes on top. */
function addModels(written: readonly UsageOfModel[], said: readonly UsageOfModel[]): readonly UsageOfModel[] {
  const models = new Map(written.map((row) => [row.model, row]));
  for (const row of said) {
    const before = models.get(row.model);
    models.set(row.model, before === undefined ? row : sumOfModel(before, row));
  }
  return [...models.values()];
}

/**
 * As the contract takes it, whatever a program said: whole numbers within bounds, short names, so many models. What does
 * not fit under its own name is counted under none.
 */
export function fitting(models: readonly UsageOfModel[]): readonly UsageOfModel[] {
  const kept = new Map<string, UsageOfModel>();
  for (const row of models) {
    const said = row.model?.slice(0, MODEL_CHARS_MAX) ?? '';
    const name = kept.size < USAGE_MODELS_MAX || kept.has(said) ? said : '';
    const before = kept.get(name) ?? nothingOf(name);
    kept.set(name, rounded(sumOfModel(before, row)));
  }
  return [...kept.values()];
}

const rounded = (row: UsageOfModel): UsageOfModel => ({
  model: row.model,
  tokensIn: whole(row.tokensIn),
  tokensOut: whole(row.tokensOut),
  tokensCached: whole(row.tokensCached),
  microUsd: row.microUsd === null ? null : whole(row.microUsd),
  unpricedIn: whole(row.unpricedIn),
  unpricedOut: whole(row.unpricedOut),
  unpricedCached: whole(row.unpricedCached),
});
const whole = (value: number): number => Math.min(Math.max(0, Math.round(value)), Number.MAX_SAFE_INTEGER);

/** Totals only grow, so that they tell one report from the next; hashed, since a key is short and models may be many. */
const sumKey = (used: readonly UsageOfModel[]): string =>
  used.length === 0
    ? ''
    : `+${createHash('sha256').update(JSON.stringify(used)).digest('hex').slice(0, SUM_HASH_CHARS)}`;
