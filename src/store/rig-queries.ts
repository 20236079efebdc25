import { RIG_SCOPE } from '../core/model/breaker.ts';
import type { Agent } from '../core/model/agent.ts';
import { isolationOf, ISOLATIONS, NO_SHIELD } from '../core/model/isolation.ts';
import type { Bead } from '../core/model/bead.ts';
import type { BeadStatus } from '../core/model/bead.ts';
import { trusted, type AgentId, type BeadId, type RigName } from '../core/model/ids.ts';
import type {
  AgentSummary,
  BeadDetail,
  BeadFilter,
  BeadSummary,
  HookView,
  QueueEntry,
  RestItem,
  RigRest,
  RigSummary,
  ShownReview,
  Why,
} from '../core/queries.ts';
import { byCreation } from '../core/queries.ts';
import type { AttemptFacts, ReviewFacts } from '../core/view.ts';
import { textTag } from '../core/etag.ts';
import { phaseIn, whyAgent, whyBead } from '../core/why.ts';
import { rigState, whyRig } from '../core/why-others.ts';
import type { StoppedTrain } from '../core/model/train.ts';
import { readStopped } from './train-store.ts';
import { must } from '../core/assert.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { AGENT_COLUMNS, ATTEMPT_COLUMNS, BEAD_COLUMNS, REVIEW_COLUMNS } from './columns.ts';
import { agentFromRow, attemptFromRow, beadFromRow, int, readable, reviewFromRow, text } from './rows.ts';
import type { SqlRigView } from './rig-view.ts';
import { shownReview } from './proposal-store.ts';

const HOUR_MS = 3_600_000;
/** More held-up beads of one rig than a person reads have one cause; the oldest say which. */
const ATTENTION_ROWS_MAX = 200;
/** Of what a drain waits for so much is looked at, and … */
const DRAIN_LOOKED_MAX = 100;
/** … so much is named: more than a person reads at once is in `gt mq`. */
const DRAIN_NAMED_MAX = 8;
/** Rows read beyond a page, so that a few that can't be read don't end the list early. */
const UNREADABLE_SPARE = 32;

/** What the API shows of one rig; reads committed state only. */
export class RigQueries {
  readonly #sql: Sql;
  readonly #view: SqlRigView;

  constructor(sql: Sql, view: SqlRigView) {
    this.#sql = sql;
    this.#view = view;
  }

  get #rig(): RigName {
    return this.#view.config().name;
  }

  /** Oldest first, or newest first; `after` is the place of the last item of the page before. */
  list(
    filter: BeadFilter,
    after: { readonly createdAtMs: number; readonly id: string } | null,
    nowMs: number,
  ): readonly BeadSummary[] {
    const rows = (filter.statuses ?? [null]).flatMap((status) => this.#listRows(filter, status, after));
    const sorted = readable(rows, beadFromRow).toSorted(byCreation);
    const page = filter.isNewestFirst === true ? sorted.toReversed() : sorted;
    return page.slice(0, filter.limit).map((bead) => this.summary(bead, nowMs));
  }

  /** One walk along one index per status, so that a list of what lives does not read what has ended. */
  #listRows(
    filter: BeadFilter,
    status: BeadStatus | null,
    after: { readonly createdAtMs: number; readonly id: string } | null,
  ): readonly SqlRow[] {
    const [isAfter, way] = filter.isNewestFirst === true ? ['<', ' DESC'] : ['>', ''];
    const conditions: readonly (readonly [string, ...SqlValue[]])[] = [
      ...(filter.convoy === undefined ? [] : [['convoy_id = ?', filter.convoy] as const]),
      // The plus: within a convoy its own index is the short way.
      ...(status === null ? [] : [[filter.convoy === undefined ? 'status = ?' : '+status = ?', status] as const]),
      ...(filter.includeMergeRequests ? [] : [[`type = 'issue'`] as const]),
      ...(after === null ? [] : [[`(created_at, id) ${isAfter} (?, ?)`, after.createdAtMs, after.id] as const]),
    ];
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.map(([text]) => text).join(' AND ')}`;
    return this.#sql.all(
      `SELECT ${BEAD_COLUMNS} FROM beads${where} ORDER BY created_at${way}, id${way} LIMIT 0 + ?`,
      ...conditions.flatMap(([, ...args]) => args),
      filter.limit + UNREADABLE_SPARE,
    );
  }

  summary(bead: Bead, nowMs: number): BeadSummary {
    const live = this.#view.liveAttempt(bead.id);
    const count = int(this.#sql.all('SELECT COUNT(*) AS n FROM attempts WHERE bead_id = ?', bead.id)[0]?.['n']);
    return {
      ...bead,
      rig: this.#rig,
      phase: phaseIn(this.#view, bead, nowMs),
      agentId: live?.agentId ?? null,
      attempts: count,
    };
  }

  detail(id: BeadId, nowMs: number): BeadDetail | null {
    const bead = this.#view.bead(id);
    if (bead === null) return this.#archived(id, nowMs);
    const blockers = this.#view.blockers(id);
    return {
      ...this.summary(bead, nowMs),
      blockers,
      attemptList: this.#view.attemptsOf(id),
      review: this.#shown(bead.type === 'merge_request' ? this.#view.review(id) : this.#view.reviewOf(id)),
      reworkBeads: this.#view.reworkOf(id),
      molecule: this.#view.molecule(id),
      why: whyBead(this.#view, bead, blockers, nowMs),
    };
  }

  #archived(id: BeadId, nowMs: number): BeadDetail | null {
    const found = this.#view.archive.find(id);
    if (found === null) return null;
    return {
      ...this.summary(found.bead, nowMs),
      attempts: found.attempts.length,
      blockers: found.blockers,
      attemptList: found.attempts,
      review: found.review === null ? null : shownReview(found.review, found.proposal),
      reworkBeads: found.rework,
      molecule: found.molecule,
      why: whyBead(this.#view, found.bead, found.blockers, nowMs),
    };
  }

  /** One bead in short, wherever it rests; null when there is none. */
  find(id: BeadId, nowMs: number): BeadSummary | null {
    const bead = this.#view.bead(id);
    return bead === null ? this.#archived(id, nowMs) : this.summary(bead, nowMs);
  }

  agents(): readonly AgentSummary[] {
    const rows = this.#sql.all(`SELECT ${AGENT_COLUMNS} FROM agents WHERE status <> 'dead' ORDER BY created_at, id`);
    return readable(rows, agentFromRow).map((agent) => this.#agentSummary(agent));
  }

  #agentSummary(agent: Agent): AgentSummary {
    const attempt = this.#sql.all(
      'SELECT id, runtime, isolation FROM attempts WHERE agent_id = ? ORDER BY epoch DESC LIMIT 1',
      agent.id,
    )[0];
    return {
      ...agent,
      rig: this.#rig,
      attemptId: attempt === undefined ? null : trusted.attempt(text(attempt['id'])),
      runtime: attempt === undefined ? null : text(attempt['runtime']),
      isolation: ISOLATIONS.find((word) => word === attempt?.['isolation']) ?? null,
    };
  }

  agentOfAttempt(attempt: string): AgentId | null {
    const row = this.#sql.all('SELECT agent_id FROM attempts WHERE id = ?', attempt)[0];
    return row === undefined ? null : trusted.agent(text(row['agent_id']));
  }

  whyRig(nowMs: number): Why {
    return whyRig(this.#view, this.waiting(), nowMs, this.stoppedTrains());
  }

  whyAgent(id: AgentId): Why | null {
    const agent = this.#view.agent(id);
    return agent === null ? null : whyAgent(agent, this.#view.unresolvedAttempt(id));
  }

  #shown(review: ReviewFacts | null): ShownReview | null {
    return review === null ? null : shownReview(review, this.#view.proposal(review.beadId));
  }

  /** Merge requests that have not ended, in the order of the line. */
  queue(nowMs: number): readonly QueueEntry[] {
    const rows = this.#sql.all(
      `SELECT ${REVIEW_COLUMNS} FROM reviews WHERE step <> 'ended' ORDER BY target_branch, CASE step WHEN 'queued' THEN 1 WHEN 'reworking' THEN 2 ELSE 0 END, queue_key, bead_id`,
    );
    let place = 0;
    return readable(rows, reviewFromRow).map((review) => {
      const bead = must(this.#view.bead(review.beadId), 'a merge request has its bead');
      const inLine = review.step === 'queued' && bead.hold === null;
      if (inLine) place += 1;
      return {
        ...shownReview(review, this.#view.proposal(review.beadId)),
        rig: this.#rig,
        title: bead.title,
        status: bead.status,
        openBlockers: bead.openBlockers,
        place: inLine ? place : null,
        why: whyBead(this.#view, bead, this.#view.blockers(bead.id), nowMs),
      };
    });
  }

  /** The version of what people set of the rig: its settings, and which trains they stopped. */
  rigTag(): string {
    const trains = this.stoppedTrains().map(({ target, state, reason, changedAtMs }) => [
      target,
      state,
      reason,
      changedAtMs,
    ]);
    return textTag(JSON.stringify([this.#view.config(), trains]));
  }

  rigSummary(createdAtMs: number, nowMs: number): RigSummary {
    const config = this.#view.config();
    const counts = new Map(
      this.#sql
        .all(`SELECT status, n FROM bead_counts WHERE type = 'issue'`)
        .map((row) => [text(row['status']), int(row['n'])]),
    );
    const breaker = this.#view.breaker(RIG_SCOPE);
    const status = rigState(this.#view, nowMs);
    const countOf = (status: BeadStatus): number => counts.get(status) ?? 0;
    return {
      id: config.name,
      prefix: config.prefix,
      url: config.url,
      targetBranch: config.targetBranch,
      status,
      statusReason: status === 'breaker_open' ? breaker.reason : null,
      polecatsMax: config.polecatsMax,
      runtime: config.runtime,
      isolation: isolationOf(config.shield ?? NO_SHIELD, config.runtime),
      liveAttempts: this.#view.slotsTaken(),
      counts: {
        open: countOf('open'),
        in_progress: countOf('in_progress'),
        in_review: countOf('in_review'),
        closed: countOf('closed') + this.#view.archive.count('closed'),
        failed: countOf('failed') + this.#view.archive.count('failed'),
      },
      readyBeads: this.#view.readyBeads(nowMs, 1_000).length,
      queueLength: int(this.#sql.all(`SELECT COUNT(*) AS n FROM reviews WHERE step <> 'ended'`)[0]?.['n']),
      stoppedTrains: this.stoppedTrains(),
      gates: config.gates.map((gate) => gate.name),
      tag: this.rigTag(),
      createdAtMs,
    };
  }

  mergedSince(sinceMs: number): number {
    return int(
      this.#sql.all(
        `SELECT COUNT(*) AS n FROM beads WHERE type = 'merge_request' AND close_reason = 'merged' AND closed_at >= ?`,
        sinceMs,
      )[0]?.['n'],
    );
  }

  mergedLastHour(nowMs: number): number {
    return this.mergedSince(nowMs - HOUR_MS);
  }

  rest(): RigRest {
    const row = this.#sql.all(
      `SELECT (SELECT COUNT(*) FROM attempts WHERE process_gone = 0) AS running,
        (SELECT COUNT(*) FROM reviews WHERE step <> 'ended') AS merging,
        (SELECT COUNT(*) FROM beads WHERE type = 'merge_request' AND status IN ('open', 'in_progress') AND (hold IS NOT NULL
          OR id IN (SELECT bead_id FROM proposals JOIN reviews USING (bead_id) WHERE waits_for = 'people' AND step = 'proposed'))) AS held,
        (SELECT COUNT(*) FROM beads WHERE type = 'issue' AND status IN ('open', 'in_progress', 'in_review')) AS open,
        (SELECT COUNT(*) FROM outbox WHERE state = 'pending') AS unsent`,
    )[0];
    return {
      running: int(row?.['running']),
      merging: int(row?.['merging']),
      waitingForPeople: int(row?.['held']),
      open: int(row?.['open']),
      unsent: int(row?.['unsent']),
    };
  }

  /** What runs or is being merged, with why it has not ended; what a person can move comes first. */
  draining(nowMs: number): readonly RestItem[] {
    const rows = this.#sql.all(
      `SELECT source_bead_id AS id FROM reviews WHERE step <> 'ended'
        UNION SELECT source_bead_id FROM attempts WHERE process_gone = 0
        UNION SELECT source_bead_id FROM reviews JOIN proposals USING (bead_id) WHERE json_extract(closing, '$.state') = 'asked' LIMIT 0 + ?`,
      DRAIN_LOOKED_MAX,
    );
    return rows
      .flatMap((row) => {
        const bead = this.#view.bead(trusted.bead(text(row['id'])));
        return bead === null ? [] : [whyBead(this.#view, bead, this.#view.blockers(bead.id), nowMs)];
      })
      .map(({ id, sentence, command }) => ({ id, sentence, command }))
      .toSorted((a, b) => Number(a.command === null) - Number(b.command === null))
      .slice(0, DRAIN_NAMED_MAX);
  }

  /** Beads that have not ended, the newest first: what waits goes before what it waits for. */
  unended(limit: number): readonly BeadId[] {
    return this.#sql
      .all(
        `SELECT id FROM beads WHERE type = 'issue' AND status IN ('open', 'in_progress', 'in_review') ORDER BY created_at DESC, id LIMIT 0 + ?`,
        limit,
      )
      .map((row) => trusted.bead(text(row['id'])));
  }

  /** Live beads and merge requests that only a person can move, oldest first. */
  heldUp(): readonly Bead[] {
    const rows = this.#sql.all(
      `SELECT ${BEAD_COLUMNS} FROM beads WHERE status IN ('open', 'in_progress', 'in_review')
        AND (hold IN ('needs_human', 'held') OR failed_blockers > 0
          OR id IN (SELECT bead_id FROM proposals JOIN reviews USING (bead_id) WHERE waits_for = 'people' AND step = 'proposed')) ORDER BY updated_at, id LIMIT 0 + ?`,
      ATTENTION_ROWS_MAX,
    );
    return readable(rows, beadFromRow);
  }

  stoppedTrains(): readonly StoppedTrain[] {
    return readStopped(this.#sql);
  }

  /** Live attempts whose agent asks a person, longest first. */
  questions(): readonly AttemptFacts[] {
    const rows = this.#sql.all(
      `SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE ended_at IS NULL AND question IS NOT NULL ORDER BY asked_at LIMIT 0 + ?`,
      ATTENTION_ROWS_MAX,
    );
    return readable(rows, attemptFromRow);
  }

  /** Beads that are open and not held, and merge requests that have not ended. */
  waiting(): number {
    return int(this.#sql.all(`SELECT COUNT(*) AS n FROM beads WHERE status = 'open' AND hold IS NULL`)[0]?.['n']);
  }

  /** The live attempt as its agent sees it; null when the attempt is not the live one. */
  hook(attempt: string, nowMs: number): Omit<HookView, 'prompt'> | null {
    const row = this.#view.attempt(trusted.attempt(attempt));
    if (row === null || row.endedAtMs !== null) return null;
    const bead = must(this.#view.bead(row.beadId), 'an attempt has its bead');
    const source = must(this.#view.bead(row.sourceBeadId), 'a branch has its source');
    return {
      agent: row.agentId,
      attempt: row.id,
      epoch: row.epoch,
      round: row.round,
      bead: this.summary(bead, nowMs),
      source: this.summary(source, nowMs),
      checkpoint: this.#view.agent(row.agentId)?.checkpoint ?? null,
    };
  }
}
