import type { Job } from '../facts.ts';
import { BRANCH_JOB_DEADLINE_MS, FEATURE_RETRY_MS } from '../limits.ts';
import type { Feature } from '../model/feature.ts';
import { trainRef } from '../refs.ts';
import { troubleSaid } from '../job-trouble.ts';
import { duration } from '../text.ts';
import type { RigView } from '../view.ts';
import { act, NOTHING, wakeAt, type RigDecision, type RigRule } from './rule.ts';

/** What the runner needs to know of a target branch: for one that the town keeps, what must be in it. */
export function repoFor(view: RigView, targetBranch: string): Job['repo'] {
  const { name, url } = view.config();
  const known = view.feature(targetBranch)?.headSha ?? null;
  return { rig: name, url, targetBranch, ...(known === null ? {} : { restore: known }) };
}

/**
 * The feature branch of a convoy is desired state: it is made before the first dispatch, and when it is gone or was
 * rewritten it is put back from the last known good commit. Where that is not possible a person is told and nothing
 * merges; the default branch never silently takes its place.
 */
export const featureBranch: RigRule = (view, branch, nowMs) => {
  const feature = view.feature(branch);
  if (feature === null) return NOTHING;
  switch (feature.state) {
    case 'wanted':
      return act(
        decide(feature, 'it must be on the origin with all that was merged into it', [
          {
            type: 'feature_step',
            branch,
            from: 'wanted',
            to: 'checking',
            job: checkJob(view, feature),
            retryAtMs: nowMs + BRANCH_JOB_DEADLINE_MS,
          },
        ]),
      );
    case 'checking':
      return overdue(view, feature, nowMs);
    case 'ready':
      return feature.escalated
        ? act(
            decide(feature, 'it is whole again', [
              { type: 'resolve_escalation', causeKey: featureCause(branch), bead: null },
            ]),
          )
        : NOTHING;
    case 'lost':
      return lost(view, feature, nowMs);
    default:
      return NOTHING;
  }
};

/** What an escalation about a feature branch is known by. */
export const featureCause = (branch: string): string => `feature:${branch}`;

const decide = (feature: Feature, reason: string, actions: RigDecision['actions']): RigDecision => ({
  rule: 'feature-branch',
  entity: trainRef(feature.branch),
  reason,
  actions,
});

/** The version makes each check a new job; the rig is in the key because a convoy's branch has the same name in each. */
function checkJob(view: RigView, feature: Feature): Job {
  return {
    kind: 'branch',
    key: `branch:${view.config().name}:${feature.branch}:${String(feature.version)}`,
    repo: repoFor(view, feature.branch),
    from: view.config().targetBranch,
  };
}

/**
 * An origin that is away or refuses the branch gives no verdict, and the whole convoy stands: a person is told once. It
 * goes on being asked for; its answer ends the alarm.
 */
function overdue(view: RigView, feature: Feature, nowMs: number): ReturnType<RigRule> {
  const { branch, retryAtMs, convoyId } = feature;
  if (retryAtMs === null || feature.escalated) return NOTHING;
  if (nowMs < retryAtMs) return wakeAt(retryAtMs);
  const failed = troubleSaid(view, feature.stepKey);
  return act(
    decide(feature, 'the verdict is overdue', [
      {
        type: 'raise_escalation',
        causeKey: featureCause(branch),
        severity: 'high',
        category: 'convoy',
        subject: `convoy:${convoyId}`,
        message: `The feature branch ${branch} of ${convoyId} is not ${feature.headSha === null ? 'made' : 'checked'} after ${duration(BRANCH_JOB_DEADLINE_MS)}: the runner or the git host does not answer, or refuses the branch. Nothing of the convoy runs or merges in this rig until then. It is asked for again by itself${failed === '' ? "; look into the runner's log." : `.${failed}`}`,
      },
    ]),
  );
}

function lost(view: RigView, feature: Feature, nowMs: number): ReturnType<RigRule> {
  const { branch } = feature;
  const reason = feature.reason ?? 'it is not on the origin';
  if (!view.featureInUse(branch))
    return act(
      decide(feature, 'nobody needs it any more', [
        { type: 'feature_step', branch, from: 'lost', to: 'staged', job: null, retryAtMs: null },
        ...(feature.escalated
          ? [{ type: 'resolve_escalation', causeKey: featureCause(branch), bead: null } as const]
          : []),
      ]),
    );
  if (feature.retryAtMs !== null)
    return nowMs < feature.retryAtMs
      ? wakeAt(feature.retryAtMs)
      : act(
          decide(feature, 'a person may have mended it', [
            { type: 'feature_step', branch, from: 'lost', to: 'wanted', job: null, retryAtMs: null },
          ]),
        );
  const message = `The feature branch ${branch} of ${feature.convoyId} can't be used: ${reason} Nothing of the convoy runs or merges in this rig until it is whole. Its last known good commit is ${feature.headSha ?? 'unknown'}.`;
  return act(
    decide(feature, reason, [
      { type: 'feature_step', branch, from: 'lost', to: 'lost', job: null, retryAtMs: nowMs + FEATURE_RETRY_MS },
      ...(feature.escalated
        ? []
        : [
            {
              type: 'raise_escalation',
              causeKey: featureCause(branch),
              severity: 'high',
              category: 'convoy',
              subject: `convoy:${feature.convoyId}`,
              message,
            } as const,
          ]),
    ]),
  );
}
