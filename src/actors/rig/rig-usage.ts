import { NO_CAPS } from '../../core/commands.ts';
import { estimateOf } from '../../core/estimate.ts';
import type { Fact } from '../../core/facts.ts';
import { ESTIMATE_SAMPLES } from '../../core/limits.ts';
import { sourceOf, type Bead } from '../../core/model/bead.ts';
import type { QuotaReport } from '../../core/model/agent.ts';
import { engineOf } from '../../core/quota.ts';
import { attemptEntity } from '../../core/refs.ts';
import { laterUsage, totalUsage, tokensOf } from '../../core/usage.ts';
import type { AttemptFacts } from '../../core/view.ts';
import type { NewAttempt } from '../../store/new-rows.ts';
import type { SqlRigView } from '../../store/rig-view.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

type UseFact = Extract<Fact, { readonly type: 'agent_usage' | 'quota_limited' }>;

/** What an attempt said about tokens, money and quota; also when it has ended: late usage is still used. */
export function recordUse(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  said: { readonly attempt: AttemptFacts; readonly fact: UseFact },
): void {
  const { attempt, fact } = said;
  if (fact.type === 'agent_usage') recordUsage(rig, turn, writer, { attempt, fact });
  else recordLimit(turn, writer, { attempt, fact });
}

function recordUsage(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  { attempt, fact }: { readonly attempt: AttemptFacts; readonly fact: Extract<UseFact, { type: 'agent_usage' }> },
): void {
  const { prices } = rig.view.config().caps ?? NO_CAPS;
  const usage = laterUsage(attempt.usage, totalUsage(fact.models, prices));
  if (JSON.stringify(usage) === JSON.stringify(attempt.usage)) return;
  writer.weigh(attempt.id, {
    tokens_in: usage.tokensIn,
    tokens_out: usage.tokensOut,
    tokens_cached: usage.tokensCached,
    cost_micro_usd: usage.microUsd,
    usage_gap: usage.gap ? 1 : 0,
    used_model: usage.model,
  });
  turn.journal({
    entity: attemptEntity(attempt.id),
    action: 'agent_usage',
    rule: 'events',
    reason: `${String(tokensOf(usage) ?? 0)} tokens, ${usage.microUsd === null ? 'cost unknown' : `${String(usage.microUsd)} micro-USD`}${usage.gap ? ' and more whose price is unknown' : ''}${attempt.endedAtMs === null ? '' : ', after its end'}`,
  });
}

function recordLimit(
  turn: Turn,
  writer: RigWriter,
  { attempt, fact }: { readonly attempt: AttemptFacts; readonly fact: Extract<UseFact, { type: 'quota_limited' }> },
): void {
  const report: QuotaReport = {
    resetsAtMs: fact.resetsAtMs,
    reason: fact.reason,
    atMs: Math.min(fact.atMs, turn.nowMs),
  };
  writer.updateAttempt(attempt.id, { quota: JSON.stringify(report) });
  turn.journal({
    entity: attemptEntity(attempt.id),
    action: 'quota_limited',
    rule: 'events',
    reason: fact.reason === '' ? 'the provider refuses for lack of quota' : fact.reason,
  });
}

/** Nothing of it is left, so what it used is known: the next estimate is better by that. */
export function learnUse(rig: RigContext, writer: RigWriter, attempt: AttemptFacts): void {
  if (attempt.usage.tokensIn === null && attempt.usage.microUsd === null) return;
  const kind = rig.view.bead(attempt.beadId)?.kind ?? 'task';
  writer.spending.learn({ runtime: attempt.runtime, model: attempt.model, kind }, attempt.usage, ESTIMATE_SAMPLES);
}

/** What a dispatch of this bead draws on, and how much of it is put aside. */
export function draws(view: SqlRigView, bead: Bead): Pick<NewAttempt, 'convoy' | 'quotaScope' | 'estimate'> {
  const engine = engineOf(bead, view.config());
  const convoy = bead.convoyId ?? view.bead(sourceOf(bead))?.convoyId ?? null;
  return {
    convoy,
    quotaScope: engine.quotaScope,
    estimate: estimateOf(engine.runtime, view.average({ ...engine, kind: bead.kind })),
  };
}
