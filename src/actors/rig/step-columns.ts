import type { RigAction } from '../../core/actions.ts';
import { ROUND_STEPS, type MergeStep } from '../../core/model/review.ts';
import type { SqlValue } from '../../ports/sql.ts';

type StepAction = Extract<RigAction, { readonly type: 'start_merge' | 'merge_step' }>;

/** From here on an earlier suspicion means nothing any more; what a refused push left behind stays until its push arrives. */
const FORGIVEN: ReadonlySet<MergeStep> = new Set(['reworking', 'ended']);

/** What was only tested is forgotten with its round: it was never pushed. */
function candidateColumns({ candidate, fromStep, toStep }: StepAction): Record<string, SqlValue> {
  if (candidate === null || (fromStep === 'gating' && (toStep === 'queued' || toStep === 'reworking')))
    return { candidate_sha: null };
  if (candidate === undefined) return {};
  return { candidate_sha: candidate.sha, tested_tree: candidate.tree, target_sha: candidate.targetSha };
}

/** The columns that a step sets; what the action does not name stays as it is. */
export function stepColumns(action: StepAction): Record<string, SqlValue> {
  const named: Readonly<Record<string, SqlValue | undefined>> = {
    ...candidateColumns(action),
    gate_log: action.gateLog,
    gate_signature: action.gateSignature,
    gate_kills: action.gateKills,
    merge_sha: action.mergeSha,
    races: action.races,
    held_reason: action.heldReason,
    deadline_at: action.deadlineAtMs,
    position: ROUND_STEPS.includes(action.toStep) ? action.position : null,
    suspect: FORGIVEN.has(action.toStep) ? null : action.suspect,
    flakes: action.flakes,
    review_asked: action.reviewAsked,
    may_revive: action.mayRevive?.join(' '),
  };
  const columns: Record<string, SqlValue> = {};
  for (const [name, value] of Object.entries(named)) if (value !== undefined) columns[name] = value;
  return columns;
}
