/**
 * Row ↔ model codecs: the only place besides `core/model/ids.ts` where a stored value gets its type. An enum value
 * that this program does not know throws `UnknownValueError`; the row is then quarantined, never guessed at.
 */
import type { ExitRecord, JobResult } from '../core/facts.ts';
import { AGENT_ROLES, AGENT_STATUSES, OUTCOMES, type Agent, type QuotaReport } from '../core/model/agent.ts';
import {
  BEAD_KINDS,
  BEAD_STATUSES,
  BEAD_TYPES,
  CLOSE_REASONS,
  HOLDS,
  ORIGINS,
  PRIORITIES,
  type Bead,
  type Blocker,
  type Evidence,
} from '../core/model/bead.ts';
import {
  CONVOY_BEAD_STATUSES,
  CONVOY_STATUSES,
  FAILURE_POLICIES,
  MERGE_MODES,
  REVERTED,
  type Convoy,
  type ConvoyAddition,
  type ConvoyBead,
} from '../core/model/convoy.ts';
import { trusted } from '../core/model/ids.ts';
import { MAIL_END_REASONS, MAIL_KINDS, type Mail } from '../core/model/mail.ts';
import { MERGE_STEPS } from '../core/model/review.ts';
import type { Usage } from '../core/usage.ts';
import type { AttemptFacts, ClaimState, ReviewFacts } from '../core/view.ts';
import type { SqlRow, SqlValue } from '../ports/sql.ts';

/** A stored enum value of an older or newer program, or of a hand edit (R5). */
class UnknownValueError extends Error {
  override readonly name = 'UnknownValueError';
}

/** Decodes a list and passes over rows that can't be read: each of those is quarantined under its own name, and hides no other. */
export function readable<T>(rows: readonly SqlRow[], decode: (row: SqlRow) => T): readonly T[] {
  return rows.flatMap((row) => {
    try {
      return [decode(row)];
    } catch (error) {
      if (error instanceof UnknownValueError) return [];
      throw error;
    }
  });
}

export function text(value: SqlValue | undefined): string {
  if (typeof value !== 'string') throw new UnknownValueError(`expected text, found ${typeof value}`);
  return value;
}

export function int(value: SqlValue | undefined): number {
  if (typeof value !== 'number') throw new UnknownValueError(`expected a number, found ${typeof value}`);
  return value;
}

export const textOrNull = (value: SqlValue | undefined): string | null =>
  value === null || value === undefined ? null : text(value);
export const intOrNull = (value: SqlValue | undefined): number | null =>
  value === null || value === undefined ? null : int(value);

/** One of a closed list of words. */
export function word<const T extends string>(list: readonly T[], value: SqlValue | undefined, column: string): T {
  const found = list.find((entry) => entry === value);
  if (found === undefined) throw new UnknownValueError(`${column} has the unknown value ${JSON.stringify(value)}`);
  return found;
}

const wordOrNull = <const T extends string>(
  list: readonly T[],
  value: SqlValue | undefined,
  column: string,
): T | null => (value === null || value === undefined ? null : word(list, value, column));

/** JSON that this program wrote itself. */
export const json = <T>(value: SqlValue | undefined): T => JSON.parse(text(value)) as T;
export const jsonOrNull = <T>(value: SqlValue | undefined): T | null =>
  value === null || value === undefined ? null : json<T>(value);
const map = <T>(value: SqlValue | undefined, brand: (raw: string) => T): T | null =>
  value === null || value === undefined ? null : brand(text(value));

export function beadFromRow(row: SqlRow): Bead {
  return {
    id: trusted.bead(text(row['id'])),
    type: word(BEAD_TYPES, row['type'], 'beads.type'),
    kind: word(BEAD_KINDS, row['kind'], 'beads.kind'),
    title: text(row['title']),
    body: text(row['body']),
    origin: word(ORIGINS, row['origin'], 'beads.origin'),
    priority: word(PRIORITIES, row['priority'], 'beads.priority'),
    status: word(BEAD_STATUSES, row['status'], 'beads.status'),
    hold: wordOrNull(HOLDS, row['hold'], 'beads.hold'),
    holdReason: textOrNull(row['hold_reason']),
    parentId: map(row['parent_id'], trusted.bead),
    branchOf: map(row['branch_of'], trusted.bead),
    convoyId: map(row['convoy_id'], trusted.convoy),
    branch: textOrNull(row['branch']),
    targetBranch: text(row['target_branch']),
    baseSha: map(row['base_sha'], trusted.sha),
    openBlockers: int(row['open_blockers']),
    failedBlockers: int(row['failed_blockers']),
    notBeforeMs: int(row['not_before']),
    failures: int(row['failures']),
    startFailures: int(row['start_failures']),
    lastSignature: textOrNull(row['last_signature']),
    runtime: textOrNull(row['runtime']),
    model: textOrNull(row['model']),
    pinnedAgent: textOrNull(row['pinned_agent']),
    createdBy: text(row['created_by']),
    closeReason: wordOrNull(CLOSE_REASONS, row['close_reason'], 'beads.close_reason'),
    evidence: jsonOrNull<Evidence>(row['evidence']),
    cancelRequestedAtMs: intOrNull(row['cancel_requested_at']),
    escalated: int(row['escalated']) === 1,
    reopens: map(row['reopens'], trusted.bead),
    reopenedAs: map(row['reopened_as'], trusted.bead),
    version: int(row['version']),
    createdAtMs: int(row['created_at']),
    updatedAtMs: int(row['updated_at']),
    closedAtMs: intOrNull(row['closed_at']),
  };
}

export function blockerFromRow(row: SqlRow): Blocker {
  return {
    beadId: trusted.bead(text(row['bead_id'])),
    blockerRef: text(row['blocker_ref']),
    scope: word(['local', 'remote'], row['scope'], 'blockers.scope'),
    state: word(['open', 'cleared', 'failed'], row['state'], 'blockers.state'),
  };
}

export function agentFromRow(row: SqlRow): Agent {
  return {
    id: trusted.agent(text(row['id'])),
    role: word(AGENT_ROLES, row['role'], 'agents.role'),
    name: text(row['name']),
    status: word(AGENT_STATUSES, row['status'], 'agents.status'),
    hookBeadId: map(row['hook_bead_id'], trusted.bead),
    epoch: int(row['epoch']),
    runnerId: map(row['runner_id'], trusted.runner),
    leaseUntilMs: intOrNull(row['lease_until']),
    lastActivityAtMs: intOrNull(row['last_activity_at']),
    lastEventType: textOrNull(row['last_event_type']),
    activeTools: json<readonly string[]>(row['active_tools']),
    statusMessage: textOrNull(row['status_message']),
    checkpoint: textOrNull(row['checkpoint']),
    version: int(row['version']),
    createdAtMs: int(row['created_at']),
    updatedAtMs: int(row['updated_at']),
  };
}

export function attemptFromRow(row: SqlRow): AttemptFacts {
  return {
    id: trusted.attempt(text(row['id'])),
    beadId: trusted.bead(text(row['bead_id'])),
    sourceBeadId: trusted.bead(text(row['source_bead_id'])),
    agentId: trusted.agent(text(row['agent_id'])),
    epoch: int(row['epoch']),
    runtime: text(row['runtime']),
    model: textOrNull(row['model']),
    round: int(row['round']),
    startedAtMs: int(row['started_at']),
    runningAtMs: intOrNull(row['running_at']),
    endedAtMs: intOrNull(row['ended_at']),
    outcome: wordOrNull(OUTCOMES, row['outcome'], 'attempts.outcome'),
    exitCode: intOrNull(row['exit_code']),
    reason: textOrNull(row['reason']),
    signature: textOrNull(row['signature']),
    claimedHead: map(row['claimed_head'], trusted.sha),
    claimedAtMs: intOrNull(row['claimed_at']),
    claimSummary: textOrNull(row['claim_summary']),
    claim: jsonOrNull<ClaimState>(row['claim']),
    claimRefusal: textOrNull(row['claim_refusal']),
    headSha: map(row['head_sha'], trusted.sha),
    baseSha: map(row['base_sha'], trusted.sha),
    exit: jsonOrNull<ExitRecord>(row['exit_record']),
    processGone: int(row['process_gone']) === 1,
    runnerId: map(row['runner_id'], trusted.runner),
    runner: text(row['runner']),
    ...moneyFromRow(row),
    contactLostAtMs: intOrNull(row['contact_lost_at']),
    gupp: guppFromRow(row),
    question: row['question'] === null ? null : { text: text(row['question']), atMs: int(row['asked_at']) },
  };
}

/** What an attempt used, from the columns of `agents` that hold it. */
export const usageFromRow = (row: SqlRow): Usage => ({
  tokensIn: intOrNull(row['tokens_in']),
  tokensOut: intOrNull(row['tokens_out']),
  tokensCached: intOrNull(row['tokens_cached']),
  microUsd: intOrNull(row['cost_micro_usd']),
  gap: int(row['usage_gap']) === 1,
  model: textOrNull(row['used_model']),
});

function moneyFromRow(
  row: SqlRow,
): Pick<
  AttemptFacts,
  'usage' | 'reservedTokens' | 'reservedMicroUsd' | 'assumedTokens' | 'assumedMicroUsd' | 'quotaScope' | 'quota'
> {
  return {
    usage: usageFromRow(row),
    reservedTokens: intOrNull(row['reserved_tokens']) ?? 0,
    reservedMicroUsd: intOrNull(row['reserved_micro_usd']) ?? 0,
    assumedTokens: int(row['assumed_tokens']),
    assumedMicroUsd: int(row['assumed_micro_usd']),
    quotaScope: textOrNull(row['quota_scope']),
    quota: jsonOrNull<QuotaReport>(row['quota']),
  };
}

function guppFromRow(row: SqlRow): AttemptFacts['gupp'] {
  if (row['gupp_rung'] === null) return null;
  const rung = ([1, 2, 3, 4] as const).find((known) => known === row['gupp_rung']);
  if (rung === undefined) throw new UnknownValueError('attempts.gupp_rung has an unknown value');
  return { rung, sinceMs: int(row['gupp_since']), atMs: int(row['gupp_at']) };
}

export function mailFromRow(row: SqlRow): Mail {
  return {
    id: trusted.mail(text(row['id'])),
    key: text(row['key']),
    from: text(row['sender']),
    to: text(row['recipient']),
    kind: word(MAIL_KINDS, row['kind'], 'mail.kind'),
    subject: text(row['subject']),
    body: text(row['body']),
    replyTo: map(row['reply_to'], trusted.mail),
    createdAtMs: int(row['created_at']),
    deliveredAtMs: intOrNull(row['delivered_at']),
    deliveredAttempt: map(row['delivered_attempt'], trusted.attempt),
    readAtMs: intOrNull(row['read_at']),
    expiresAtMs: int(row['expires_at']),
    endedAtMs: intOrNull(row['ended_at']),
    endReason: wordOrNull(MAIL_END_REASONS, row['end_reason'], 'mail.end_reason'),
  };
}

export function reviewFromRow(row: SqlRow): ReviewFacts {
  return {
    beadId: trusted.bead(text(row['bead_id'])),
    sourceBeadId: trusted.bead(text(row['source_bead_id'])),
    branch: text(row['branch']),
    targetBranch: text(row['target_branch']),
    headSha: trusted.sha(text(row['head_sha'])),
    targetSha: map(row['target_sha'], trusted.sha),
    testedTree: textOrNull(row['tested_tree']),
    candidateSha: map(row['candidate_sha'], trusted.sha),
    mergeSha: map(row['merge_sha'], trusted.sha),
    strategy: word(['direct', 'pr'], row['strategy'], 'reviews.strategy'),
    step: word(MERGE_STEPS, row['step'], 'reviews.step'),
    rounds: int(row['rounds']),
    races: int(row['races']),
    queueKey: int(row['queue_key']),
    queuedAtMs: int(row['queued_at']),
    stepKey: textOrNull(row['step_key']),
    deadlineAtMs: intOrNull(row['deadline_at']),
    heldReason: textOrNull(row['held_reason']),
    gateLog: textOrNull(row['gate_log']),
    gateSignature: textOrNull(row['gate_signature']),
    gateKills: int(row['gate_kills']),
    position: intOrNull(row['position']),
    suspect: textOrNull(row['suspect']),
    reviewAsked: map(row['review_asked'], trusted.sha),
    mayRevive: (textOrNull(row['may_revive'])?.split(' ') ?? []).map(trusted.sha),
    flakes: int(row['flakes']),
    version: int(row['version']),
    result: jsonOrNull<JobResult>(row['result']),
  };
}

export function convoyFromRow(row: SqlRow): Convoy {
  return {
    id: trusted.convoy(text(row['id'])),
    title: text(row['title']),
    status: word(CONVOY_STATUSES, row['status'], 'convoys.status'),
    mergeMode: word(MERGE_MODES, row['merge_mode'], 'convoys.merge_mode'),
    onFailure: word(FAILURE_POLICIES, row['on_failure'], 'convoys.on_failure'),
    startWhenReady: int(row['start_when_ready']) === 1,
    featureBranch: textOrNull(row['feature_branch']),
    landingOrder: jsonOrNull<readonly string[]>(row['landing_order']) ?? [],
    totalBeads: int(row['total_beads']),
    closedBeads: int(row['closed_beads']),
    failedBeads: int(row['failed_beads']),
    cancelledBeads: int(row['cancelled_beads']),
    createdBy: text(row['created_by']),
    reason: textOrNull(row['reason']),
    version: int(row['version']),
    createdAtMs: int(row['created_at']),
    landedAtMs: intOrNull(row['landed_at']),
    reverted: row['reverted'] === null ? null : word(REVERTED, row['reverted'], 'convoys.reverted'),
  };
}

export function convoyBeadFromRow(row: SqlRow): ConvoyBead {
  return {
    convoyId: trusted.convoy(text(row['convoy_id'])),
    position: int(row['position']),
    rig: trusted.rig(text(row['rig_id'])),
    beadId: map(row['bead_id'], trusted.bead),
    title: text(row['title']),
    status: word(CONVOY_BEAD_STATUSES, row['status'], 'convoy_beads.status'),
    dependsOn: json<readonly number[]>(row['depends_on']),
    mergeSha: textOrNull(row['merge_sha']),
    mergeTarget: textOrNull(row['merge_target']),
    closeReason: textOrNull(row['close_reason']),
    batch: int(row['batch']),
    adopted: int(row['adopted']) === 1,
    started: int(row['started']) === 1,
  };
}

export function convoyAdditionFromRow(row: SqlRow): ConvoyAddition {
  return {
    batch: int(row['batch']),
    state: word(['pending', 'done', 'refused'], row['state'], 'convoy_additions.state'),
    reason: textOrNull(row['reason']),
  };
}

/** JSON that this program put into a queue itself. */
export const parseJson = <T>(payload: string): T => JSON.parse(payload) as T;
