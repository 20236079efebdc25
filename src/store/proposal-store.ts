import type { Evidence } from '../core/model/bead.ts';
import { trusted, type BeadId, type Sha } from '../core/model/ids.ts';
import { WAITS_FOR, type Closing, type ForgeSaid, type Proposal, type ProposalChange } from '../core/model/proposal.ts';
import { MERGE_STEPS, MERGE_STRATEGIES, type Review } from '../core/model/review.ts';
import type { PullSummary, ShownReview } from '../core/queries.ts';
import type { PullRecord } from '../core/pull/invariants.ts';
import type { PullRequest } from '../core/model/pull-request.ts';
import { beadRef, SCHEDULE, type Ref } from '../core/refs.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
import { int, intOrNull, json, jsonOrNull, text, textOrNull, word } from './rows.ts';

const COLUMNS =
  'bead_id, number, url, site, over, seen, changed_at, looked_at, seen_head, said, look_error, silent_since, waits_for, wait_reason, wait_since, ready_at, given, tested_head, tested_at, is_adopted, asks, asked_at, cancel, retry_at, open_asked, closing';

const sha = (value: SqlValue | undefined): Proposal['seenHead'] => {
  const known = textOrNull(value);
  return known === null ? null : trusted.sha(known);
};

const proposalFromRow = (row: SqlRow): Proposal => ({
  beadId: trusted.bead(text(row['bead_id'])),
  number: intOrNull(row['number']),
  url: textOrNull(row['url']),
  site: textOrNull(row['site']),
  over: intOrNull(row['over']),
  seen: jsonOrNull<PullRequest>(row['seen']),
  changedAtMs: int(row['changed_at']),
  lookedAtMs: intOrNull(row['looked_at']),
  seenHead: sha(row['seen_head']),
  said: jsonOrNull<ForgeSaid>(row['said']),
  lookError: textOrNull(row['look_error']),
  silentSinceMs: intOrNull(row['silent_since']),
  waitsFor: row['waits_for'] === null ? null : word(WAITS_FOR, row['waits_for'], 'proposals.waits_for'),
  waitReason: textOrNull(row['wait_reason']),
  waitSinceMs: intOrNull(row['wait_since']),
  readyAtMs: intOrNull(row['ready_at']),
  given: json<readonly string[]>(row['given']),
  testedHead: sha(row['tested_head']),
  testedAtMs: intOrNull(row['tested_at']),
  isAdopted: int(row['is_adopted']) === 1,
  asks: int(row['asks']),
  askedAtMs: intOrNull(row['asked_at']),
  cancel: jsonOrNull<Evidence>(row['cancel']),
  isOpenAsked: int(row['open_asked']) === 1,
  closing: jsonOrNull<Closing>(row['closing']),
  retryAtMs: int(row['retry_at']),
});

export const PROPOSAL_BY_ID: string = `SELECT ${COLUMNS} FROM proposals WHERE bead_id = ?`;
export const readProposalRow: (row: SqlRow) => Proposal = proposalFromRow;

/** True when agents of this lineage had this commit accepted: it was on the branch by our own doing. */
export const isOwnHead = (sql: Sql, source: BeadId, head: string): boolean =>
  sql.all('SELECT 1 AS one FROM attempts WHERE source_bead_id = ? AND head_sha = ? LIMIT 1', source, head).length > 0;

/** The silence of the forge, and whether people were told of it. */
export const forgeSilence = (sql: Sql): { readonly sinceMs: number | null; readonly told: boolean } => ({
  sinceMs: silentSince(sql),
  told: sql.all(`SELECT value FROM meta WHERE key = 'forge_told'`).length > 0,
});

/** Since when the forge has answered nothing about the one that waits longest. */
const silentSince = (sql: Sql): number | null =>
  intOrNull(
    sql.all(
      `SELECT MIN(silent_since) AS since FROM proposals JOIN reviews USING (bead_id) WHERE silent_since IS NOT NULL AND step <> 'ended'`,
    )[0]?.['since'],
  );

/** Merge requests of a target that wait in line or at their forge; of all targets when it is null. */
export const proposedFor = (sql: Sql, target: string | null): readonly BeadId[] =>
  sql
    .all(
      // Both conditions of the index of what has not ended: nothing of history is walked.
      `SELECT bead_id FROM reviews WHERE strategy = 'pr' AND step <> 'ended' AND step IN ('queued', 'opening', 'proposed')
        AND (? IS NULL OR target_branch = ?) ORDER BY +bead_id`,
      target,
      target,
    )
    .map((row) => trusted.bead(text(row['bead_id'])));

/** A merge request with what people look at of its pull request. */
export function shownReview<Known extends Review>(review: Known, proposal: Proposal | null): Known & ShownReview {
  if (proposal === null || proposal.number === null || proposal.url === null) return { ...review, pullRequest: null };
  const { number, url, seen, waitsFor, waitReason, silentSinceMs } = proposal;
  const pullRequest: PullSummary = {
    number,
    url,
    state: seen?.state ?? 'open',
    checks: seen?.checks.state ?? 'unknown',
    approvals: seen?.approvals ?? 0,
    waitsFor: review.step === 'proposed' ? waitsFor : null,
    waitReason: review.step === 'proposed' ? waitReason : null,
    silentSinceMs,
  };
  return { ...review, pullRequest };
}

/** Merge requests that have not ended, for the checker. */
export const pullRecords = (sql: Sql): readonly PullRecord[] =>
  sql
    .all(
      `SELECT r.bead_id AS id, branch, strategy, step, p.bead_id AS proposal, number, due_at FROM reviews r
        LEFT JOIN proposals p ON p.bead_id = r.bead_id LEFT JOIN timers t ON t.entity = 'bead:' || r.bead_id AND t.kind = 'observe'
        WHERE step <> 'ended'`,
    )
    .map((row) => ({
      beadId: text(row['id']),
      branch: text(row['branch']),
      strategy: word(MERGE_STRATEGIES, row['strategy'], 'reviews.strategy'),
      step: word(MERGE_STEPS, row['step'], 'reviews.step'),
      hasProposal: row['proposal'] !== null,
      number: intOrNull(row['number']),
      lookAtMs: intOrNull(row['due_at']),
    }));

/** Every write about pull requests. None of them touches the row of a bead or of a review. */
export class ProposalWriter {
  readonly #sql: Sql;
  readonly #nowMs: number;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, nowMs: number, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#nowMs = nowMs;
    this.#dirty = dirty;
  }

  insert(mergeRequest: BeadId): void {
    this.#sql.all('INSERT INTO proposals (bead_id, changed_at) VALUES (?, ?)', mergeRequest, this.#nowMs);
  }

  /** From the line of the train to a pull request: one that was not pushed. False: it is not there any more. */
  takeOver(mergeRequest: BeadId): boolean {
    const query = `UPDATE reviews SET strategy = 'pr', suspect = NULL, version = version + 1 WHERE bead_id = ? AND step = 'queued' AND strategy = 'direct' AND candidate_sha IS NULL RETURNING bead_id`;
    if (this.#sql.all(query, mergeRequest).length === 0) return false;
    this.insert(mergeRequest);
    this.#touch(mergeRequest, false);
    return true;
  }

  /** What an own decision sets; a new sight counts as a change from now on. */
  change(mergeRequest: BeadId, change: ProposalChange): void {
    const columns = columnsOf(change);
    if (change.seen !== undefined) {
      columns['changed_at'] = this.#nowMs;
      columns['looked_at'] = this.#nowMs;
    }
    if (change.seen?.headSha) columns['seen_head'] = change.seen.headSha;
    this.#set(mergeRequest, columns);
    this.#touch(mergeRequest, change.silentSinceMs !== undefined);
  }

  /** A look found the branch where it was, which is not where it should be. */
  looked(mergeRequest: BeadId, atMs: number): void {
    this.#set(mergeRequest, { looked_at: atMs });
    this.#touch(mergeRequest, false);
  }

  /** Another commit is proposed from now on: what was seen before says nothing of it. */
  startAnew(mergeRequest: BeadId): void {
    this.#set(mergeRequest, { changed_at: this.#nowMs, looked_at: null });
  }

  /** The branch is at another commit now, by somebody else's doing. */
  moveHead(mergeRequest: BeadId, from: Sha, head: Sha): void {
    const rows = this.#sql.all(
      `UPDATE reviews SET head_sha = ?, candidate_sha = NULL, tested_tree = NULL, version = version + 1 WHERE bead_id = ? AND head_sha = ? RETURNING version`,
      head,
      mergeRequest,
      from,
    );
    if (rows.length === 0) throw new GuardFailed(`${mergeRequest} is no longer at ${from}`);
    this.#touch(mergeRequest, false);
  }

  /** That people were told of a forge which does not answer. */
  markForgeTold(told: boolean): void {
    if (told) this.#sql.all(`INSERT INTO meta (key, value) VALUES ('forge_told', '1') ON CONFLICT (key) DO NOTHING`);
    else this.#sql.all(`DELETE FROM meta WHERE key = 'forge_told'`);
    this.#dirty(SCHEDULE);
  }

  /** The host's tag alone is nothing that a rule looks at. */
  retag(mergeRequest: BeadId, seen: PullRequest): void {
    this.#set(mergeRequest, { seen: JSON.stringify(seen) });
  }

  /** The answer to the present step's question; false: nobody waits for it any more. */
  answered(mergeRequest: BeadId, stepKey: string, said: ForgeSaid): boolean {
    const rows = this.#sql.all(
      `UPDATE proposals SET said = ? WHERE bead_id = ? AND EXISTS (SELECT 1 FROM reviews WHERE reviews.bead_id = proposals.bead_id AND step_key = ? AND step <> 'ended') RETURNING bead_id`,
      JSON.stringify(said),
      mergeRequest,
      stepKey,
    );
    if (rows.length > 0) this.#touch(mergeRequest, false);
    return rows.length > 0;
  }

  #set(mergeRequest: BeadId, columns: Readonly<Record<string, SqlValue>>): void {
    const names = Object.keys(columns);
    if (names.length === 0) return;
    this.#sql.all(
      `UPDATE proposals SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE bead_id = ?`,
      ...names.map((name) => columns[name] ?? null),
      mergeRequest,
    );
  }

  #touch(mergeRequest: BeadId, hasForgeNews: boolean): void {
    this.#dirty(beadRef(mergeRequest));
    if (hasForgeNews) this.#dirty(SCHEDULE);
  }
}

function columnsOf(change: ProposalChange): Record<string, SqlValue> {
  const asJson = (value: unknown): SqlValue | undefined =>
    value === undefined ? undefined : value === null ? null : JSON.stringify(value);
  const named: Readonly<Record<string, SqlValue | undefined>> = {
    number: change.number,
    url: change.url,
    site: change.site,
    over: change.over,
    seen: asJson(change.seen),
    seen_head: change.seenHead,
    said: asJson(change.said),
    look_error: change.lookError,
    silent_since: change.silentSinceMs,
    waits_for: change.waitsFor,
    wait_reason: change.waitReason,
    wait_since: change.waitSinceMs,
    ready_at: change.readyAtMs,
    given: asJson(change.given),
    tested_head: change.testedHead,
    tested_at: change.testedAtMs,
    is_adopted: change.isAdopted === undefined ? undefined : Number(change.isAdopted),
    asks: change.asks,
    asked_at: change.askedAtMs,
    cancel: asJson(change.cancel),
    open_asked: change.isOpenAsked === undefined ? undefined : Number(change.isOpenAsked),
    closing: asJson(change.closing),
    retry_at: change.retryAtMs,
  };
  const columns: Record<string, SqlValue> = {};
  for (const [name, value] of Object.entries(named)) if (value !== undefined) columns[name] = value;
  return columns;
}
