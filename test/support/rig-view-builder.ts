/** A rig's world as plain frozen objects: the test states what is recorded, rules read it through `RigView`. */
import type { JobTrouble } from '../../src/core/model/job-trouble.ts';
import type { Proposal } from '../../src/core/model/proposal.ts';
import { RIG_SCOPE } from '../../src/core/model/breaker.ts';
import type { RigConfig } from '../../src/core/commands.ts';
import type { ExitRecord } from '../../src/core/facts.ts';
import type { Agent } from '../../src/core/model/agent.ts';
import { sourceOf, type Bead } from '../../src/core/model/bead.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { Feature } from '../../src/core/model/feature.ts';
import type { Molecule } from '../../src/core/model/molecule.ts';
import type { Revert } from '../../src/core/model/revert.ts';
import type { Mail } from '../../src/core/model/mail.ts';
import type { JobResult } from '../../src/core/facts.ts';
import { ROUND_STEPS } from '../../src/core/model/review.ts';
import { newTrain, type Probe, type Train } from '../../src/core/model/train.ts';
import type { RigBudget, Use } from '../../src/core/budget.ts';
import type { AttemptFacts, BreakerFacts, QuotaWindow, ReviewFacts, RigView, RunnerLoad } from '../../src/core/view.ts';
import { NO_USAGE } from '../../src/core/usage.ts';
import { rigConfig } from './rig-config.ts';

/** The present moment of rule tests. */
export const NOW = 1_000_000_000;

export const beadId = (suffix: string): BeadId => trusted.bead(`api-${suffix}`);
export const polecat = (name: string): Agent['id'] => trusted.agent(`api/polecats/${name}`);
export const commit = (n: number): ReturnType<typeof trusted.sha> => trusted.sha(n.toString(16).padStart(40, '0'));

export interface World {
  readonly config: RigConfig;
  readonly draining: boolean;
  readonly beads: readonly Bead[];
  readonly agents: readonly Agent[];
  readonly attempts: readonly AttemptFacts[];
  readonly reviews: readonly ReviewFacts[];
  /** Ready beads in the order of the line. */
  readonly ready: readonly Bead[];
  /** Queued merge requests in the order of the line. */
  readonly line: readonly ReviewFacts[];
  /** Why orders are not done yet, by the key of their job. */
  readonly troubles: Readonly<Record<string, JobTrouble>>;
  readonly formerTips: readonly string[];
  readonly backoffEndMs: number | null;
  readonly dependents: Readonly<Record<string, readonly BeadId[]>>;
  /** The rig's breaker, and those of other scopes. */
  readonly breaker: BreakerFacts;
  readonly scopes: readonly BreakerFacts[];
  readonly average: { readonly tokens: number | null; readonly microUsd: number | null };
  readonly budgets: readonly RigBudget[];
  readonly uses: Readonly<Record<string, Use>>;
  readonly windows: readonly QuotaWindow[];
  readonly reviewsWaiting: number;
  readonly probes: readonly Probe[];
  readonly trains: readonly Train[];
  /** Trees that passed. */
  readonly tested: readonly string[];
  readonly proposals: readonly Proposal[];
  /** Commits that agents had accepted. */
  readonly ownHeads: readonly string[];
  readonly forgeSilence: ReturnType<RigView['forgeSilence']>;
  /** Unread mail. */
  readonly mail: readonly Mail[];
  /** Beads whose end the town must hear. */
  readonly watched: readonly BeadId[];
  /** Beads that their convoy's policy cancels once something they wait for has failed. */
  readonly skipping: readonly BeadId[];
  /** Feature branches of convoys. */
  readonly features: readonly Feature[];
  /** Branches that something still needs. */
  readonly kept: readonly BeadId[];
  /** Agents that a bead or a mail waits for. */
  readonly needed: readonly string[];
  readonly reverts: readonly Revert[];
  /** Beads whose convoy was aborted. */
  readonly aborted: readonly BeadId[];
  /** Formulas that beads follow. */
  readonly molecules: Readonly<Record<string, Molecule>>;
  /** Beads whose end the town has heard. */
  readonly reported: readonly BeadId[];
  readonly hasLocalRunner: boolean;
  readonly runners: readonly RunnerLoad[];
  /** Where the lineage was last; else it is known by its attempts. */
  readonly lastRunner: string | null;
}

export const CLOSED_BREAKER: BreakerFacts = {
  scope: RIG_SCOPE,
  failures: 0,
  retryAtMs: 0,
  openedAtMs: null,
  reason: null,
  escalated: false,
};

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}

/** Everything in it is frozen: a rule that writes to what it reads throws. */
export function rigView(over: Partial<World> = {}): RigView {
  const world: World = freeze({
    config: rigConfig('api'),
    draining: false,
    beads: [],
    agents: [],
    attempts: [],
    reviews: [],
    ready: [],
    line: [],
    troubles: {},
    formerTips: [],
    backoffEndMs: null,
    dependents: {},
    breaker: CLOSED_BREAKER,
    scopes: [],
    average: { tokens: null, microUsd: null },
    budgets: [],
    uses: {},
    windows: [],
    reviewsWaiting: 0,
    mail: [],
    watched: [],
    skipping: [],
    features: [],
    kept: [],
    needed: [],
    reverts: [],
    aborted: [],
    molecules: {},
    reported: [],
    hasLocalRunner: true,
    probes: [],
    trains: [],
    tested: [],
    proposals: [],
    ownHeads: [],
    forgeSilence: { sinceMs: null, told: false },
    runners: [],
    lastRunner: null,
    ...over,
  });
  const newest = (rows: readonly AttemptFacts[]): AttemptFacts | null =>
    rows.toSorted((a, b) => b.epoch - a.epoch)[0] ?? null;
  const find = <T>(rows: readonly T[], match: (row: T) => boolean): T | null => rows.find(match) ?? null;
  const reviewOf = (source: BeadId): ReviewFacts | null => find(world.reviews, (row) => row.sourceBeadId === source);
  return {
    config: () => world.config,
    isDraining: () => world.draining,
    bead: (id) => find(world.beads, (row) => row.id === id),
    agent: (id) => find(world.agents, (row) => row.id === id),
    attempt: (id) => find(world.attempts, (row) => row.id === id),
    liveAttempt: (bead) => find(world.attempts, (row) => row.beadId === bead && row.endedAtMs === null),
    unresolvedAttempt: (agent) => find(world.attempts, (row) => row.agentId === agent && !row.processGone),
    lastAttempt: (bead) => newest(world.attempts.filter((row) => row.beadId === bead && row.endedAtMs !== null)),
    othersStarted: (id, count, runner) => {
      const since = world.attempts.filter((row) => row.beadId === id).toSorted((a, b) => b.epoch - a.epoch)[count - 1];
      return (
        since !== undefined &&
        world.attempts.some(
          (row) =>
            row.beadId !== id &&
            row.epoch > since.epoch &&
            row.runningAtMs !== null &&
            (runner === null || row.runner === runner),
        )
      );
    },
    review: (id) => find(world.reviews, (row) => row.beadId === id),
    reviewOf,
    readyBeads: (_nowMs, limit) => world.ready.slice(0, limit),
    nextBackoffEnd: () => world.backoffEndMs,
    slotsTaken: () => world.attempts.filter((row) => !row.processGone).length,
    idleAgents: () => world.agents.filter((row) => row.status === 'idle'),
    agentNames: () => new Set(world.agents.map((row) => row.name)),
    lastAgentOf: (source) => newest(world.attempts.filter((row) => row.sourceBeadId === source))?.agentId ?? null,
    activeReview: (target) =>
      find(world.reviews, (row) => row.targetBranch === target && ROUND_STEPS.includes(row.step)),
    round: (target) =>
      world.reviews
        .filter((row) => row.targetBranch === target && ROUND_STEPS.includes(row.step))
        .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0)),
    line: (target, limit) => world.line.filter((row) => row.targetBranch === target).slice(0, limit),
    probes: (leader) => world.probes.filter((row) => row.leader === leader),
    train: (target) => find(world.trains, (row) => row.target === target) ?? newTrain(target),
    formerTips: () => world.formerTips,
    trouble: (key) => world.troubles[key] ?? null,
    isTested: (tree) => world.tested.includes(tree),
    proposal: (id) => find(world.proposals, (row) => row.beadId === id),
    isOwnHead: (_source, sha) => world.ownHeads.includes(sha),
    forgeSilence: () => world.forgeSilence,
    openReworks: (mergeRequest) => {
      const source = find(world.reviews, (row) => row.beadId === mergeRequest)?.sourceBeadId;
      return world.beads.filter((row) => row.branchOf === source && !['closed', 'failed'].includes(row.status));
    },
    dependents: (bead) => world.dependents[bead] ?? [],
    breaker: (scope) =>
      find([world.breaker, ...world.scopes], (row) => row.scope === scope) ?? { ...CLOSED_BREAKER, scope },
    breakers: () => [world.breaker, ...world.scopes].filter((row) => row.failures > 0),
    average: () => world.average,
    budgets: () => world.budgets,
    useOf: (budget) => world.uses[budget.id] ?? { spent: 0, reserved: 0 },
    quotaWindow: (scope) => find(world.windows, (row) => row.scope === scope),
    lastDispatch: (scope) => {
      const rows = world.attempts.filter((row) => row.quotaScope === scope && !row.processGone);
      return rows.length === 0 ? null : Math.max(...rows.map((row) => row.startedAtMs));
    },
    slotsOf: (by) =>
      world.attempts.filter(
        (row) =>
          !row.processGone &&
          ('runtime' in by ? row.runtime === by.runtime : (row.quotaScope ?? '').startsWith(`${by.account}/`)),
      ).length,
    reviewsWaiting: () => world.reviewsWaiting,
    expiredMail: (nowMs) => world.mail.filter((row) => row.expiresAtMs <= nowMs),
    nextMailExpiry: () => world.mail.map((row) => row.expiresAtMs).toSorted((a, b) => a - b)[0] ?? null,
    hasLocalRunner: () => world.hasLocalRunner,
    runners: () => world.runners,
    lastRunnerOf: (source) =>
      world.lastRunner ?? newest(world.attempts.filter((row) => row.sourceBeadId === source))?.runner ?? null,
    molecule: (id) => world.molecules[id] ?? null,
    runnerInstance: () => trusted.runner('runner-1'),
    isKept: (bead) => world.kept.includes(bead),
    isAgentNeeded: (agent) => world.needed.includes(agent),
    endReported: (bead) => world.reported.includes(bead),
    feature: (branch) => find(world.features, (row) => row.branch === branch),
    featureInUse: (branch) =>
      world.beads.some((row) => row.targetBranch === branch && !['closed', 'failed'].includes(row.status)),
    revert: (id) => find(world.reverts, (row) => row.beadId === id),
    isAborted: (bead) => world.aborted.includes(bead),
    skipsFailed: (bead) => world.skipping.includes(bead),
    isWatched: (bead) => world.watched.includes(bead),
  };
}

/** An open task, ready to run. */
export function bead(over: Partial<Bead> = {}): Bead {
  return {
    id: beadId('task1'),
    type: 'issue',
    kind: 'task',
    title: 'Add a thing',
    body: 'Please.',
    origin: 'human',
    priority: 'medium',
    status: 'open',
    hold: null,
    holdReason: null,
    parentId: null,
    branchOf: null,
    convoyId: null,
    branch: null,
    targetBranch: 'main',
    baseSha: null,
    openBlockers: 0,
    failedBlockers: 0,
    notBeforeMs: 0,
    failures: 0,
    startFailures: 0,
    lastSignature: null,
    runtime: null,
    model: null,
    pinnedAgent: null,
    createdBy: 'human/test',
    closeReason: null,
    evidence: null,
    cancelRequestedAtMs: null,
    escalated: false,
    reopens: null,
    reopenedAs: null,
    version: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    closedAtMs: null,
    ...over,
  };
}

/** An idle polecat. */
export function agent(name: string, over: Partial<Agent> = {}): Agent {
  return {
    id: polecat(name),
    role: 'polecat',
    name,
    status: 'idle',
    hookBeadId: null,
    epoch: 0,
    runnerId: null,
    leaseUntilMs: null,
    lastActivityAtMs: null,
    lastEventType: null,
    activeTools: [],
    statusMessage: null,
    checkpoint: null,
    version: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    ...over,
  };
}

/** A live attempt of `nux` on `task`, its process confirmed. */
export function attempt(task: Bead, over: Partial<AttemptFacts> = {}): AttemptFacts {
  return {
    id: trusted.attempt(`at-${String(over.epoch ?? 1).padStart(18, '0')}`),
    beadId: task.id,
    sourceBeadId: sourceOf(task),
    agentId: polecat('nux'),
    epoch: 1,
    runtime: 'script',
    model: null,
    round: 0,
    startedAtMs: NOW - 60_000,
    runningAtMs: NOW - 59_000,
    endedAtMs: null,
    outcome: null,
    exitCode: null,
    reason: null,
    signature: null,
    claimedHead: null,
    claimedAtMs: null,
    claimSummary: null,
    claimRefusal: null,
    headSha: null,
    baseSha: commit(1),
    processGone: false,
    runnerId: trusted.runner('runner-1'),
    runner: 'local',
    exit: null,
    claim: null,
    contactLostAtMs: null,
    gupp: null,
    question: null,
    usage: NO_USAGE,
    reservedTokens: 0,
    reservedMicroUsd: 0,
    assumedTokens: 0,
    assumedMicroUsd: 0,
    quotaScope: 'script/default',
    quota: null,
    ...over,
  };
}

/** A process that ended by itself with exit code 1. */
export function exitRecord(over: Partial<ExitRecord> = {}): ExitRecord {
  return {
    attempt: 'at-000000000000000001',
    epoch: 1,
    exitCode: 1,
    signal: null,
    cause: 'exited',
    lastLine: 'boom',
    startedAtMs: NOW - 59_000,
    endedAtMs: NOW - 1_000,
    head: null,
    base: null,
    ahead: null,
    dirty: false,
    rescueRef: null,
    doneIntent: false,
    ...over,
  };
}

/** The merge request `api-merge` of `source`, waiting in the train. */
export function review(source: Bead, over: Partial<ReviewFacts> = {}): ReviewFacts {
  return {
    beadId: beadId('merge'),
    sourceBeadId: source.id,
    branch: `gt/${source.id}`,
    targetBranch: 'main',
    headSha: commit(10),
    targetSha: null,
    testedTree: null,
    candidateSha: null,
    mergeSha: null,
    strategy: 'direct',
    step: 'queued',
    rounds: 0,
    races: 0,
    queueKey: 0,
    queuedAtMs: NOW - 60_000,
    stepKey: null,
    deadlineAtMs: null,
    heldReason: null,
    gateLog: null,
    gateSignature: null,
    gateKills: 0,
    position: null,
    suspect: null,
    reviewAsked: null,
    mayRevive: [],
    flakes: 0,
    version: 1,
    result: null,
    ...over,
  };
}

function answerOf(result: JobResult | null): Pick<Probe, 'state' | 'run'> {
  if (result?.result !== 'gates') return { state: 'running', run: null };
  if (result.green) return { state: 'green', run: null };
  const run = result.runs.at(-1) ?? null;
  return { state: run?.killedBy === undefined ? 'red' : 'killed', run };
}

/**
 * The run of the gates on a merge request by itself, with this answer; an accused one's comes beside that of the target,
 * which passed.
 */
export function probesOf(review: ReviewFacts, result: JobResult | null): readonly Probe[] {
  const probe = (over: Partial<Probe>): Probe => ({
    key: `gates:${review.beadId}`,
    leader: review.beadId,
    entries: [],
    targetSha: commit(1),
    commit: commit(1),
    tree: 'target',
    state: 'green',
    run: null,
    cached: true,
    ...over,
  });
  const { state, run } = answerOf(result);
  const entries = [{ mergeRequest: review.beadId, candidate: commit(20), tree: 'tree' }];
  const own = probe({ entries, commit: commit(20), tree: 'tree', state, run, cached: false });
  return review.suspect === null ? [own] : [probe({ key: 'gates:target' }), own];
}

/** The bead of that merge request. */
export const mergeRequest = (source: Bead, over: Partial<Bead> = {}): Bead =>
  bead({ id: beadId('merge'), type: 'merge_request', parentId: source.id, createdBy: 'system', ...over });
