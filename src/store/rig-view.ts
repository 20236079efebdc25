import type { RigConfig } from '../core/commands.ts';
import { trusted, type AgentId, type AttemptId, type BeadId, type RunnerInstance } from '../core/model/ids.ts';
import type { Agent } from '../core/model/agent.ts';
import type { Bead, Blocker } from '../core/model/bead.ts';
import type { Mail } from '../core/model/mail.ts';
import type { Molecule } from '../core/model/molecule.ts';
import type { RigBudget, Use } from '../core/budget.ts';
import type { AttemptFacts, BreakerFacts, QuotaWindow, ReviewFacts, RigView, RunnerLoad } from '../core/view.ts';
import type { JobTrouble } from '../core/model/job-trouble.ts';
import { must } from '../core/assert.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import type { Feature } from '../core/model/feature.ts';
import type { Probe, Train } from '../core/model/train.ts';
import type { Proposal } from '../core/model/proposal.ts';
import type { Revert } from '../core/model/revert.ts';
import { featureInUse, readFeature } from './feature-store.ts';
import { jobTrouble } from './job-store.ts';
import { readTips } from './tip-store.ts';
import { BREAKER_BY_SCOPE, breakerFromRow, BREAKERS, closedBreaker } from './breaker-rows.ts';
import type { BreakerScope } from '../core/model/breaker.ts';
import { ArchiveStore } from './archive-store.ts';
import { leftBehind } from './left-behind.ts';
import { forgeSilence, isOwnHead, PROPOSAL_BY_ID, readProposalRow } from './proposal-store.ts';
import { readRevert } from './revert-store.ts';
import { MailStore } from './mail-store.ts';
import { MoleculeStore } from './molecule-store.ts';
import { MoneyStore } from './money-store.ts';
import type { SpendingStore } from './spending.ts';
import { lastRunnerOf, readRunnerLoads } from './runner-store.ts';
import { isTested, readLine, readProbes, readRound, readTrain, ROUND } from './train-store.ts';
import { AGENT_COLUMNS, ATTEMPT_COLUMNS, BEAD_COLUMNS, REVIEW_COLUMNS } from './columns.ts';
import {
  agentFromRow,
  attemptFromRow,
  beadFromRow,
  blockerFromRow,
  int,
  intOrNull,
  parseJson,
  readable,
  reviewFromRow,
  text,
} from './rows.ts';

/** A bead has at most five counted failures; more ended attempts than this are infrastructure trouble without work. */
const EARLIER_ATTEMPTS_READ = 50;

/** First rows by question and arguments. */
type Answers = Map<string, Map<string, SqlRow | undefined>>;

/** Texts of the questions that every turn asks: made once, not put together per call. */
const BEAD_BY_ID = `SELECT ${BEAD_COLUMNS} FROM beads WHERE id = ?`;
const AGENT_BY_ID = `SELECT ${AGENT_COLUMNS} FROM agents WHERE id = ?`;
const ATTEMPT_BY_ID = `SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE id = ?`;
const PROCESS_OF_AGENT = `SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE agent_id = ? AND process_gone = 0`;
const REVIEW_BY_ID = `SELECT ${REVIEW_COLUMNS} FROM reviews WHERE bead_id = ?`;

/** The rules' window on a rig's database: one indexed query per question, nothing written, nothing kept beyond `still`. */
export class SqlRigView implements RigView {
  readonly #sql: Sql;
  readonly mail: MailStore;
  readonly money: MoneyStore;
  readonly archive: ArchiveStore;
  readonly molecules: MoleculeStore;
  readonly #hasLocalRunner: boolean;
  #config: { readonly source: string; readonly value: RigConfig } | null = null;
  /** Answers so far by question and arguments, while nothing is written. */
  #answers: Answers | null = null;
  readonly isDraining = (): boolean => this.config().parked && this.#meta('drain') === 'yes';

  constructor(sql: Sql, host: { readonly hasLocalRunner: boolean } = { hasLocalRunner: true }) {
    this.#sql = sql;
    this.#hasLocalRunner = host.hasLocalRunner;
    this.mail = new MailStore(sql);
    this.money = new MoneyStore(sql);
    this.archive = new ArchiveStore(sql);
    this.molecules = new MoleculeStore(sql);
  }

  /**
   * Runs `work`, which only reads: within it each question about one row is put to the database once, because several
   * rules look at the same rows. Whatever `work` does not see change must not change: no write in it.
   */
  still<T>(work: () => T): T {
    this.#answers = new Map();
    try {
      return work();
    } finally {
      this.#answers = null;
    }
  }

  #one<T>(decode: (row: SqlRow) => T, query: string, ...args: SqlValue[]): T | null {
    const row = this.#answers === null ? this.#sql.all(query, ...args)[0] : this.#once(this.#answers, query, args);
    return row === undefined ? null : decode(row);
  }

  #once(answers: Answers, query: string, args: readonly SqlValue[]): SqlRow | undefined {
    let known = answers.get(query);
    if (known === undefined) answers.set(query, (known = new Map<string, SqlRow | undefined>()));
    const key = args.join(' ');
    if (!known.has(key)) known.set(key, this.#sql.all(query, ...args)[0]);
    return known.get(key);
  }

  #many<T>(decode: (row: SqlRow) => T, query: string, ...args: SqlValue[]): readonly T[] {
    return readable(this.#sql.all(query, ...args), decode);
  }

  /** Settings of this rig. Parsed once per text, not per turn: what a failed turn had written must not stay in memory. */
  config(): RigConfig {
    const source = must(this.#meta('config'), 'a rig has settings');
    if (this.#config?.source !== source) this.#config = { source, value: parseJson<RigConfig>(source) };
    return this.#config.value;
  }

  hasConfig(): boolean {
    return this.#meta('config') !== null;
  }

  #meta(key: 'config' | 'drain'): string | null {
    return this.#one((row) => text(row['value']), 'SELECT value FROM meta WHERE key = ?', key);
  }

  bead(id: BeadId): Bead | null {
    return this.#one(beadFromRow, BEAD_BY_ID, id);
  }

  agent(id: AgentId): Agent | null {
    return this.#one(agentFromRow, AGENT_BY_ID, id);
  }

  attempt(id: AttemptId): AttemptFacts | null {
    return this.#one(attemptFromRow, ATTEMPT_BY_ID, id);
  }

  liveAttempt(bead: BeadId): AttemptFacts | null {
    return this.#one(
      attemptFromRow,
      `SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE bead_id = ? AND ended_at IS NULL`,
      bead,
    );
  }

  unresolvedAttempt(agent: AgentId): AttemptFacts | null {
    return this.#one(attemptFromRow, PROCESS_OF_AGENT, agent);
  }

  lastAttempt(bead: BeadId): AttemptFacts | null {
    return this.#one(
      attemptFromRow,
      `SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE bead_id = ? AND ended_at IS NOT NULL ORDER BY epoch DESC LIMIT 1`,
      bead,
    );
  }

  othersStarted(bead: BeadId, count: number, runner: string | null): boolean {
    const since = this.#one(
      (row) => int(row['epoch']),
      'SELECT epoch FROM attempts WHERE bead_id = ? ORDER BY epoch DESC LIMIT 1 OFFSET ?',
      bead,
      count - 1,
    );
    return (
      since !== null &&
      this.#sql.all(
        'SELECT 1 AS one FROM attempts WHERE epoch > ? AND bead_id <> ? AND running_at IS NOT NULL AND runner = coalesce(?, runner) LIMIT 1',
        since,
        bead,
        runner,
      ).length > 0
    );
  }

  review(mergeRequest: BeadId): ReviewFacts | null {
    return this.#one(reviewFromRow, REVIEW_BY_ID, mergeRequest);
  }

  reviewOf(source: BeadId): ReviewFacts | null {
    return this.#one(reviewFromRow, `SELECT ${REVIEW_COLUMNS} FROM reviews WHERE source_bead_id = ?`, source);
  }

  readyBeads(nowMs: number, limit: number): readonly Bead[] {
    return this.#many(
      beadFromRow,
      `SELECT ${BEAD_COLUMNS} FROM beads
        WHERE type = 'issue' AND status = 'open' AND hold IS NULL AND open_blockers = 0 AND failed_blockers = 0 AND not_before <= ?
          AND kind <> 'landing' AND aborted = 0
          AND NOT EXISTS (SELECT 1 FROM features WHERE branch = beads.target_branch AND state <> 'ready')
          AND NOT EXISTS (SELECT 1 FROM reverts WHERE bead_id = beads.id AND state <> 'agent')
          AND NOT EXISTS (SELECT 1 FROM attempts WHERE source_bead_id = coalesce(beads.branch_of, beads.id) AND process_gone = 0)
          AND NOT EXISTS (SELECT 1 FROM agents WHERE hook_bead_id = beads.id)
          AND NOT EXISTS (SELECT 1 FROM agents WHERE id = beads.pinned_agent AND status NOT IN ('idle', 'dead'))
        ORDER BY queue_key, dependents DESC, id LIMIT 0 + ?`,
      nowMs,
      limit,
    );
  }

  nextBackoffEnd(nowMs: number): number | null {
    return this.#one(
      (row) => intOrNull(row['at']),
      `SELECT MIN(not_before) AS at FROM beads
        WHERE type = 'issue' AND status = 'open' AND hold IS NULL AND open_blockers = 0 AND failed_blockers = 0 AND not_before > ?`,
      nowMs,
    );
  }

  slotsTaken(): number {
    return this.#one((row) => int(row['n']), 'SELECT COUNT(*) AS n FROM attempts WHERE process_gone = 0') ?? 0;
  }

  idleAgents(): readonly Agent[] {
    return this.#many(
      agentFromRow,
      `SELECT ${AGENT_COLUMNS} FROM agents WHERE status = 'idle' ORDER BY updated_at DESC, id LIMIT 64`,
    );
  }

  agentNames(): ReadonlySet<string> {
    return new Set(this.#many((row) => text(row['name']), 'SELECT name FROM agents'));
  }

  lastAgentOf(source: BeadId): AgentId | null {
    return this.#one(
      (row) => trusted.agent(text(row['agent_id'])),
      'SELECT agent_id FROM attempts WHERE source_bead_id = ? ORDER BY epoch DESC LIMIT 1',
      source,
    );
  }

  activeReview(target: string): ReviewFacts | null {
    return this.#one(reviewFromRow, `${ROUND} LIMIT 1`, target);
  }

  readonly round = (target: string): readonly ReviewFacts[] => readRound(this.#sql, target);
  readonly line = (target: string, limit: number): readonly ReviewFacts[] => readLine(this.#sql, target, limit);
  readonly probes = (leader: BeadId): readonly Probe[] => readProbes(this.#sql, leader);
  readonly train = (target: string): Train => readTrain(this.#sql, target);
  readonly isTested = (tree: string, gates: string): boolean => isTested(this.#sql, tree, gates);

  readonly feature = (branch: string): Feature | null => readFeature(this.#sql, branch);
  readonly formerTips = (target: string): readonly string[] => readTips(this.#sql, target);
  readonly trouble = (jobKey: string): JobTrouble | null => jobTrouble(this.#sql, jobKey);

  readonly proposal = (id: BeadId): Proposal | null => this.#one(readProposalRow, PROPOSAL_BY_ID, id);
  readonly isOwnHead = (source: BeadId, sha: string): boolean => isOwnHead(this.#sql, source, sha);

  readonly forgeSilence = (): ReturnType<RigView['forgeSilence']> => forgeSilence(this.#sql);

  revert = (bead: BeadId): Revert | null => readRevert(this.#sql, bead);

  readonly featureInUse = (branch: string): boolean => featureInUse(this.#sql, branch);

  isAborted(bead: BeadId): boolean {
    return this.#one((row) => int(row['aborted']), 'SELECT aborted FROM beads WHERE id = ?', bead) === 1;
  }

  openReworks(mergeRequest: BeadId): readonly Bead[] {
    const review = this.review(mergeRequest);
    if (review === null) return [];
    return this.#many(
      beadFromRow,
      `SELECT ${BEAD_COLUMNS} FROM beads WHERE branch_of = ? AND status NOT IN ('closed', 'failed') ORDER BY created_at, id`,
      review.sourceBeadId,
    );
  }

  dependents(bead: BeadId): readonly BeadId[] {
    return this.#many(
      (row) => trusted.bead(text(row['bead_id'])),
      `SELECT bead_id FROM blockers WHERE blocker_ref = ? AND state = 'open' ORDER BY bead_id`,
      bead,
    );
  }

  breaker(scope: BreakerScope): BreakerFacts {
    return this.#one(breakerFromRow, BREAKER_BY_SCOPE, scope) ?? closedBreaker(scope);
  }

  breakers(): readonly BreakerFacts[] {
    return this.#many(breakerFromRow, BREAKERS);
  }

  average(of: Parameters<SpendingStore['average']>[0]): ReturnType<SpendingStore['average']> {
    return this.money.spending.average(of);
  }

  budgets(): readonly RigBudget[] {
    return this.money.budgets();
  }

  useOf(budget: RigBudget): Use {
    return this.money.useOf(budget);
  }

  quotaWindow(scope: string): QuotaWindow | null {
    return this.money.quotaWindow(scope);
  }

  lastDispatch(scope: string): number | null {
    return this.money.lastDispatch(scope);
  }

  slotsOf(by: Parameters<RigView['slotsOf']>[0]): number {
    return this.money.slotsOf(by);
  }

  reviewsWaiting(): number {
    return this.money.reviewsWaiting();
  }

  expiredMail(nowMs: number, limit: number): readonly Mail[] {
    return this.mail.expired(nowMs, limit);
  }

  nextMailExpiry(): number | null {
    return this.mail.nextExpiry();
  }

  runnerInstance(): RunnerInstance | null {
    return this.#one((row) => trusted.runner(text(row['value'])), `SELECT value FROM meta WHERE key = 'runner'`);
  }

  hasLocalRunner(): boolean {
    return this.#hasLocalRunner;
  }

  runners(): readonly RunnerLoad[] {
    return readRunnerLoads(this.#sql);
  }

  readonly lastRunnerOf = (source: BeadId): string | null => lastRunnerOf(this.#sql, source);

  endReported(bead: BeadId): boolean {
    return this.#one((row) => int(row['end_reported']), 'SELECT end_reported FROM beads WHERE id = ?', bead) === 1;
  }

  skipsFailed(bead: BeadId): boolean {
    return this.#one((row) => int(row['skip_failed']), 'SELECT skip_failed FROM beads WHERE id = ?', bead) === 1;
  }

  isKept(source: BeadId, beforeMs: number): boolean {
    return this.archive.isKept(source, beforeMs);
  }

  isAgentNeeded(agent: AgentId): boolean {
    return this.archive.isAgentNeeded(agent);
  }

  isWatched(bead: BeadId): boolean {
    return (
      this.#one(
        (row) => int(row['watched']) === 1 || row['convoy_id'] !== null,
        'SELECT watched, convoy_id FROM beads WHERE id = ?',
        bead,
      ) ?? false
    );
  }

  /**
   * The newest commits that an ended attempt of this bead left, with the ref of its uncommitted state: late evidence
   * counts, an attempt that left nothing is passed over.
   */
  earlierWork(bead: BeadId): ReturnType<typeof leftBehind> {
    const rows = this.#sql.all(
      'SELECT late_head, exit_record FROM attempts WHERE bead_id = ? AND ended_at IS NOT NULL ORDER BY epoch DESC LIMIT 0 + ?',
      bead,
      EARLIER_ATTEMPTS_READ,
    );
    for (const row of rows) {
      const left = leftBehind(row);
      if (left !== null) return left;
    }
    return null;
  }

  readonly molecule = (bead: BeadId): Molecule | null => this.molecules.of(bead);

  /** Not for rules: what queries and the checker read. */
  blockers(bead: BeadId): readonly Blocker[] {
    return this.#many(
      blockerFromRow,
      'SELECT bead_id, blocker_ref, scope, state FROM blockers WHERE bead_id = ? ORDER BY blocker_ref',
      bead,
    );
  }

  attemptsOf(bead: BeadId): readonly AttemptFacts[] {
    return this.#many(attemptFromRow, `SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE bead_id = ? ORDER BY epoch`, bead);
  }

  reworkOf(source: BeadId): readonly BeadId[] {
    return this.#many(
      (row) => trusted.bead(text(row['id'])),
      'SELECT id FROM beads WHERE branch_of = ? ORDER BY created_at, id',
      source,
    );
  }
}
