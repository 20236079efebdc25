import type { Decision, RigAction } from '../../src/core/actions.ts';
import { DEFAULT_MERGING, DEFAULT_PULL, type Gate, type PullPolicy } from '../../src/core/commands.ts';
import type { Job, JobResult } from '../../src/core/facts.ts';
import type { Bead } from '../../src/core/model/bead.ts';
import type { ForgeSaid, Proposal } from '../../src/core/model/proposal.ts';
import type { ForgeSite, PullRequest } from '../../src/core/model/pull-request.ts';
import type { MergeStep } from '../../src/core/model/review.ts';
import { newTrain, type Train } from '../../src/core/model/train.ts';
import { pullRequest } from '../../src/core/rules/pull-request.ts';
import type { RigVerdicts } from '../../src/core/rules/rule.ts';
import type { ReviewFacts, RigView } from '../../src/core/view.ts';
import { rigConfig } from './rig-config.ts';
import { bead, beadId, commit, mergeRequest, NOW, review, rigView, type World } from './rig-view-builder.ts';

/**
 * One merge request `api-merge` with the strategy `pr`, of the task `api-task1` at commit c10, and what the rule decides about
 * it as lines of text: the reason, a line for each action, the moment to look again. Moments are told from now.
 */

export const GATE: Gate = { name: 'test', run: 'true', timeoutMs: 60_000 };

/** A pull request as its forge shows it when nothing is in the way of its merge. */
export const sight = (over: Partial<PullRequest> = {}): PullRequest => ({
  number: 7,
  url: 'https://forge.test/7',
  state: 'open',
  isDraft: false,
  branch: 'gt/api-task1',
  base: 'main',
  headSha: commit(10),
  mergeSha: null,
  mergeable: 'clean',
  checks: { state: 'green', failing: [] },
  approvals: 1,
  changesRequested: [],
  threads: [],
  inQueue: false,
  tag: 'tag',
  ...over,
});

/** What is recorded of a pull request that was looked at, and has been as it is for an hour. */
export const proposal = (over: Partial<Proposal> = {}): Proposal => ({
  beadId: beadId('merge'),
  number: 7,
  url: 'https://forge.test/7',
  site: null,
  over: null,
  seen: sight(),
  changedAtMs: NOW - 3_600_000,
  lookedAtMs: NOW,
  seenHead: commit(10),
  said: null,
  lookError: null,
  silentSinceMs: null,
  waitsFor: null,
  waitReason: null,
  waitSinceMs: null,
  readyAtMs: null,
  given: [],
  testedHead: null,
  testedAtMs: null,
  isAdopted: false,
  isOpenAsked: false,
  closing: null,
  asks: 0,
  askedAtMs: null,
  cancel: null,
  retryAtMs: 0,
  ...over,
});

/** Its forge has not been asked for it yet. */
export const UNOPENED: Partial<Proposal> = { number: null, url: null, seen: null, seenHead: null };

export interface PullWorld {
  readonly step: MergeStep;
  /** What the forge shows, if that is not all in order; null: nothing was seen yet. */
  readonly seen?: Partial<PullRequest> | null;
  readonly pull?: Partial<Proposal>;
  /** What the forge answered to being asked to open or to merge. */
  readonly said?: ForgeSaid;
  /** What git or the gates said. */
  readonly result?: JobResult;
  readonly review?: Partial<ReviewFacts>;
  /** The bead of the merge request. */
  readonly bead?: Partial<Bead>;
  readonly source?: Partial<Bead>;
  readonly policy?: Partial<PullPolicy>;
  /** Where the settings say that its pull requests are, if that is another place; null: they say none. */
  readonly forge?: ForgeSite | null;
  readonly gates?: readonly Gate[];
  readonly train?: Partial<Train>;
  readonly world?: Partial<World>;
}

const FORGE: ForgeSite = {
  kind: 'github',
  apiUrl: 'https://forge.test/api',
  project: 'acme/api',
  token: 'env:TOKEN',
};
const WAITING: readonly MergeStep[] = ['queued', 'reworking'];

/** The world of such a merge request. */
export function pullView(of: PullWorld): RigView {
  const source = bead({ status: 'in_review', ...of.source });
  const request = mergeRequest(source, { status: WAITING.includes(of.step) ? 'open' : 'in_progress', ...of.bead });
  const row = review(source, {
    strategy: 'pr',
    step: of.step,
    result: of.result ?? null,
    version: 3,
    ...of.review,
  });
  const seen = of.seen === undefined ? {} : { seen: of.seen === null ? null : sight(of.seen) };
  return rigView({
    config: rigConfig('api', {
      gates: of.gates ?? [],
      ...(of.forge === null ? {} : { forge: of.forge ?? FORGE }),
      merging: { ...DEFAULT_MERGING, strategy: 'pr', pull: { ...DEFAULT_PULL, ...of.policy } },
    }),
    ...of.world,
    beads: [source, request, ...(of.world?.beads ?? [])],
    reviews: [row],
    proposals: [proposal({ ...seen, said: of.said ?? null, ...of.pull })],
    trains: of.train === undefined ? [] : [{ ...newTrain('main'), ...of.train }],
  });
}

/** What is decided about it now, as text. */
export const decided = (of: PullWorld): string => told(pullRequest(pullView(of), beadId('merge'), NOW));

/** Verdicts as text; `nothing` when there is nothing to do. */
export function told({ decisions, wakeAtMs }: RigVerdicts): string {
  const lines = decisions.flatMap(linesOf);
  if (wakeAtMs !== null) lines.push(`looks again ${moment(wakeAtMs)}`);
  return lines.length === 0 ? 'nothing' : lines.join('\n');
}

const linesOf = ({ rule, entity, reason, actions }: Decision<RigAction>): readonly string[] => [
  `${rule} ${entity}: ${plain(reason)}`,
  ...actions.map(lineOf),
];

function lineOf(action: RigAction): string {
  switch (action.type) {
    case 'merge_step': {
      const { type: _type, mergeRequest: of, fromStep, toStep, ...rest } = action;
      return `step of ${of}: ${fromStep} -> ${toStep}${tail(rest)}`;
    }
    case 'transition_bead': {
      const { type: _type, bead: of, from, to, ...rest } = action;
      return `bead ${of}: ${from} -> ${to}${tail(rest)}`;
    }
    case 'pull_note':
      return `note on ${action.mergeRequest}${tail(action.change)}`;
    case 'raise_escalation': {
      const { type: _type, message, ...rest } = action;
      return `tell a person${tail(rest)}\n  ${plain(message)}`;
    }
    default: {
      const { type, ...rest } = action;
      return `${type}${tail(rest)}`;
    }
  }
}

const tail = (fields: object): string => {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return known.length === 0 ? '' : ` | ${known.map(([name, value]) => `${name} ${text(value)}`).join(', ')}`;
};

function text(value: unknown): string {
  if (typeof value === 'number') return moment(value);
  if (typeof value === 'string') return plain(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(text).join(' ')}]`;
  if ('mergeable' in value && 'number' in value) return `#${String(value.number)}`;
  if ('kind' in value && 'repo' in value) return jobText(value as Job);
  return `{${Object.entries(value)
    .map(([name, one]) => `${name} ${text(one)}`)
    .join(', ')}}`;
}

function jobText(job: Job): string {
  if (job.kind === 'merge') return `${plain(job.key)} of ${plain(job.head)} (as ${text(job.earlierCandidate)})`;
  return job.kind === 'gates' ? `${plain(job.key)} of ${plain(job.commit)}` : plain(job.key);
}

/** Commits by their number, texts in one line. */
const plain = (value: string): string =>
  value.replaceAll(/\b[0-9a-f]{40}\b/g, (sha) => `c${String(Number.parseInt(sha, 16))}`).replaceAll('\n', ' / ');

const DAY_MS = 86_400_000;

/** A number near the present is a moment of it; any other is a number. */
function moment(value: number): string {
  const fromNowMs = value - NOW;
  if (Math.abs(fromNowMs) > DAY_MS) return String(value);
  if (fromNowMs === 0) return 'now';
  const sign = fromNowMs < 0 ? '-' : '+';
  const size = Math.abs(fromNowMs);
  if (size % 60_000 === 0) return `${sign}${String(size / 60_000)}min`;
  return size % 1_000 === 0 ? `${sign}${String(size / 1_000)}s` : `${sign}${String(size)}ms`;
}
