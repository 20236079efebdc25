import type { RigView } from '../view.ts';
import { parseRef, type Ref } from '../refs.ts';
import { archiveBead, retireAgent } from './archive.ts';
import { assignWork } from './assign-work.ts';
import { beadEnded } from './bead-ended.ts';
import { deadAgent } from './dead-agent.ts';
import { dispatchBreaker, provenHealthy } from './dispatch-breaker.ts';
import { abortedConvoy } from './aborted-convoy.ts';
import { featureBranch } from './feature-branch.ts';
import { freeAgent } from './free-agent.ts';
import { gupp } from './gupp.ts';
import { startLanding } from './landing.ts';
import { lostContact } from './lost-contact.ts';
import { mailExpiry } from './mail-expiry.ts';
import { mergeStep } from './merge-step.ts';
import { mergeTrain } from './merge-train.ts';
import { forgeSilent, pullRequest } from './pull-request.ts';
import { quotaReported, quotaScopeRule, releaseParked } from './quota.ts';
import { startRevert } from './revert.ts';
import { reviewAgent } from './review-agent.ts';
import type { RigDecision, RigRule, RigVerdicts } from './rule.ts';
import { skipBlocked } from './skip-blocked.ts';
import { verifyDone } from './verify-done.ts';

/** Every rule of the rig, by the kind of entity it looks at, in the order in which they run. Read this first. */
export const RIG_RULES: Readonly<Record<string, readonly RigRule[]>> = {
  attempt: [quotaReported, verifyDone, deadAgent, lostContact, gupp, provenHealthy],
  agent: [freeAgent, retireAgent],
  bead: [
    releaseParked,
    skipBlocked,
    abortedConvoy,
    startLanding,
    startRevert,
    reviewAgent,
    beadEnded,
    mergeStep,
    pullRequest,
    archiveBead,
  ],
  train: [featureBranch, mergeTrain],
  quota: [quotaScopeRule],
  mailbox: [mailExpiry],
  schedule: [assignWork, dispatchBreaker, forgeSilent],
};

/** All that the rules say about one entity now: their decisions in order, and the earliest moment to look again. */
export function reconcileRig(view: RigView, ref: Ref, nowMs: number): RigVerdicts {
  const { kind, id } = parseRef(ref);
  const decisions: RigDecision[] = [];
  let wakeAtMs: number | null = null;
  for (const rule of RIG_RULES[kind] ?? []) {
    const verdict = rule(view, id, nowMs);
    decisions.push(...verdict.decisions);
    if (verdict.wakeAtMs !== null) wakeAtMs = Math.min(wakeAtMs ?? verdict.wakeAtMs, verdict.wakeAtMs);
  }
  return { decisions, wakeAtMs };
}
