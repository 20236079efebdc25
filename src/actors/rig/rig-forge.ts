import { must } from '../../core/assert.ts';
import { DEFAULT_MERGING } from '../../core/commands.ts';
import { PULL_BODY_CHARS_MAX, PULL_POLL_MAX_MS } from '../../core/limits.ts';
import { trusted, type BeadId } from '../../core/model/ids.ts';
import type { ForgeSaid, Proposal } from '../../core/model/proposal.ts';
import { siteKey, type ForgeSite, type PullRequest } from '../../core/model/pull-request.ts';
import { pollAfterMs, silentAfterMs } from '../../core/pull/poll.ts';
import { isSameSight } from '../../core/pull/sight.ts';
import { messageOf } from '../../core/rules/merge-train.ts';
import { freshFromMs, isAskOpen } from '../../core/rules/pull-cancel.ts';
import { inert } from '../../core/text.ts';
import type { ReviewFacts } from '../../core/view.ts';
import type { Forge, ForgeAnswer, ForgeLater, ForgeRefusal, PullClosed, PullRequestRef } from '../../ports/forge.ts';
import type { NewEvent, OutboxRow } from '../../store/kernel-store.ts';
import { parseJson } from '../../store/rows.ts';
import type { EffectOutcome } from '../kernel/program.ts';
import { factEvent, type ForgeFact } from './forge-facts.ts';
import { closeKey, type ForgeOrder } from './pull-steps.ts';
import type { RigContext } from './rig-context.ts';

/** A rig whose forge or whose line to it is missing: a setting, so that no repeat helps. */
const NO_FORGE: ForgeRefusal = {
  state: 'refused',
  code: 'no_token',
  error: 'No forge is set up for this rig (see docs/pull-requests.md).',
};

const ELSEWHERE: ForgeRefusal = {
  state: 'refused',
  code: 'not_found',
  error: 'It is not at the forge, address and project that the settings name now.',
};

interface Present {
  readonly review: ReviewFacts;
  readonly proposal: Proposal;
  readonly forge: Forge;
  readonly site: ForgeSite;
  /** Null: there is none, or its number is of another place than the settings name now. */
  readonly ref: PullRequestRef | null;
}

function present(rig: RigContext, id: BeadId): Present | null {
  const review = rig.view.review(id);
  const proposal = rig.view.proposal(id);
  const site = rig.view.config().forge;
  const { forge } = rig.ports;
  if (review === null || proposal === null || site === undefined || forge === undefined) return null;
  const { number } = proposal;
  const isHere = proposal.site === null || proposal.site === siteKey(site);
  return { review, proposal, forge, site, ref: number === null || !isHere ? null : { site, number } };
}

/** Opens or merges. Whether that is still wanted is read just before. */
export async function performForge(rig: RigContext, row: OutboxRow): Promise<EffectOutcome> {
  const order = parseJson<ForgeOrder>(row.payload);
  const id = trusted.bead(order.mergeRequest);
  if (order.kind === 'close') return performClose(rig, order);
  if (rig.view.review(id)?.stepKey !== order.key) return { state: 'done' };
  const now = present(rig, id);
  const answer: ForgeAnswer = now === null ? NO_FORGE : await ask(rig, now, order);
  if (answer.state === 'later') return again(rig, answer);
  const said: ForgeSaid =
    answer.state === 'ok'
      ? { ...answer, site: now === null ? '' : siteKey(now.site) }
      : { state: 'refused', code: answer.code, error: inert(answer.error) };
  return {
    state: 'done',
    event: factEvent(`said:${order.key}`, { type: 'forge_said', mergeRequest: id, stepKey: order.key, said }),
  };
}

const again = (rig: RigContext, { error, retryAfterMs }: ForgeLater): EffectOutcome =>
  retryAfterMs === null
    ? { state: 'retry', error }
    : { state: 'retry', error, atMs: rig.ports.clock.now() + retryAfterMs };

/** Closes the pull request of cancelled work, or finds out what people did with it. */
async function performClose(rig: RigContext, order: ForgeOrder): Promise<EffectOutcome> {
  const id = trusted.bead(order.mergeRequest);
  const closing = rig.view.proposal(id)?.closing ?? null;
  const isWanted = closing?.state === 'asked' && closeKey(id, closing.asks) === order.key;
  const now = isWanted ? present(rig, id) : null;
  if (!isWanted) return { state: 'done' };
  const answer = now === null ? NO_FORGE : await close(now, closing.number, order.comment ?? '');
  if (answer.state === 'later') return again(rig, answer);
  const said = answer.state === 'ok' ? answer : { ...answer, error: inert(answer.error) };
  return {
    state: 'done',
    event: factEvent(`closed:${order.key}`, { type: 'forge_closed', mergeRequest: id, key: order.key, said }),
  };
}

/** A number of another place is not the one that is meant. */
function close(
  { forge, site, ref, review }: Present,
  number: number | null,
  comment: string,
): Promise<PullClosed | ForgeLater | ForgeRefusal> {
  if (number !== null && ref?.number !== number) return Promise.resolve(ELSEWHERE);
  return forge.close({ site, number, head: review.branch, ours: OURS, mark: markOf(review.beadId), comment });
}

/** Only the town writes this there: by it what it opened itself is known, and what it said. */
const OURS = 'Gt-Merge-Request: ';
const markOf = (mergeRequest: BeadId): string => `${OURS}${mergeRequest}`;

function ask(rig: RigContext, now: Present, order: ForgeOrder): Promise<ForgeAnswer> {
  return order.kind === 'open' ? open(rig, now) : merge(rig, now, order);
}

function open(rig: RigContext, { review, proposal, forge, site }: Present): Promise<ForgeAnswer> {
  const source = must(rig.view.bead(review.sourceBeadId), 'a merge request has its source');
  const done = rig.view.attemptsOf(source.id).findLast((attempt) => attempt.claimSummary !== null);
  const words = done?.claimSummary ?? source.body;
  return forge.open({
    site,
    head: review.branch,
    headSha: review.headSha,
    base: review.targetBranch,
    title: source.title.split('\n', 1)[0] ?? source.title,
    body: `${words.slice(0, PULL_BODY_CHARS_MAX).replace(/[\uD800-\uDBFF]$/, '')}\n\nGt-Bead: ${source.id}\n${markOf(review.beadId)}\n`,
    after: proposal.over,
  });
}

/** A look between two tries of one call may have found news, and nobody has judged those yet (seed 245). */
const isJudged = ({ judgedSinceMs }: ForgeOrder, { changedAtMs }: Proposal): boolean =>
  judgedSinceMs === undefined || judgedSinceMs === changedAtMs;

/** Looks once more before: the policy was judged on what was seen last, and people may have said no since. */
async function merge(rig: RigContext, present: Present, order: ForgeOrder): Promise<ForgeAnswer> {
  const { review, proposal, forge, ref } = present;
  if (ref === null || proposal.seen === null)
    return { state: 'refused', code: 'not_found', error: 'There is no pull request to merge.' };
  // Without the tag: not all that people take back rings (`Forge.look`).
  const look = await forge.look(ref, null);
  // Somebody cancelled it since: what it is by now is all that is wanted. The call before may have merged it.
  if (cancelAtMs(rig, review) !== null)
    return look.state === 'unchanged' ? { state: 'ok', pullRequest: proposal.seen } : look;
  if (look.state !== 'unchanged' && (look.state !== 'ok' || !isSameSight(look.pullRequest, proposal.seen))) return look;
  if (!isJudged(order, proposal)) return { state: 'ok', pullRequest: proposal.seen };
  const source = rig.view.bead(review.sourceBeadId);
  const { style } = rig.view.config().merging ?? DEFAULT_MERGING;
  const [title = '', ...rest] = messageOf(review, source, style).split('\n');
  return forge.merge({
    ref,
    expectedHead: review.headSha,
    expectedBase: review.targetBranch,
    style,
    title,
    message: rest.join('\n').trim(),
  });
}

const notAnswered = (error: unknown): ForgeLater => ({
  state: 'later',
  error: error instanceof Error ? error.message : 'no answer',
  retryAfterMs: null,
});

export interface Look {
  readonly event: NewEvent | null;
  readonly againAtMs: number | null;
}

/**
 * One look at a pull request. What is as it was is no event: it changes nothing, not even a moment in a row, unless it is
 * a commit that nobody expects there.
 */
export async function look(rig: RigContext, id: BeadId): Promise<Look> {
  const now = present(rig, id);
  if (now === null || now.ref === null || now.review.step === 'ended')
    return { event: null, againAtMs: unlooked(rig, id) };
  const { proposal, ref, forge } = now;
  // A cancel is carried out by what all of it shows.
  const isWhole = proposal.lookError !== null || cancelAtMs(rig, now.review) !== null;
  const tag = isWhole ? null : (proposal.seen?.tag ?? null);
  const askedAtMs = rig.ports.clock.now();
  const answer = await forge.look(ref, tag).catch(notAnswered);
  const atMs = rig.ports.clock.now();
  const cancelledAtMs = cancelAtMs(rig, now.review);
  const at = { number: ref.number, site: siteKey(ref.site), askedAtMs, atMs, isCancelled: cancelledAtMs !== null };
  const found = judge(now, answer, at);
  return {
    event: found.fact === null ? null : factEvent(`look:${id}:${String(atMs)}`, found.fact),
    againAtMs: atMs + Math.min(found.inMs, againInMs(proposal, cancelledAtMs, { answer, askedAtMs, atMs })),
  };
}

/** Without a forge in the settings nobody can look; it may come back. One that is over, or not opened, needs no look. */
function unlooked(rig: RigContext, id: BeadId): number | null {
  const isOver = rig.view.review(id)?.step === 'ended' || (rig.view.proposal(id)?.number ?? null) === null;
  return isOver ? null : rig.ports.clock.now() + PULL_POLL_MAX_MS;
}

/** Since when somebody wants its source cancelled; null: nobody does. */
const cancelAtMs = (rig: RigContext, { sourceBeadId }: ReviewFacts): number | null =>
  rig.view.bead(sourceBeadId)?.cancelRequestedAtMs ?? null;

/** A look that began too early for a cancel is made again as soon as one may be believed. */
function againInMs(
  proposal: Proposal,
  cancelledAtMs: number | null,
  { answer, askedAtMs, atMs }: { readonly answer: Answer; readonly askedAtMs: number; readonly atMs: number },
): number {
  if (cancelledAtMs === null || (answer.state !== 'ok' && answer.state !== 'unchanged')) return Infinity;
  const fromMs = freshFromMs(cancelledAtMs, proposal);
  return askedAtMs >= fromMs ? Infinity : Math.max(0, fromMs - atMs);
}

interface Found {
  readonly fact: ForgeFact | null;
  readonly inMs: number;
}

type Answer = Awaited<ReturnType<Forge['look']>>;

interface Asked {
  readonly number: number;
  readonly site: string;
  readonly askedAtMs: number;
  readonly atMs: number;
  readonly isCancelled: boolean;
}

/**
 * A look that finds nothing new is no news then. It is one after a silence or a refusal; for a cancel that waits, and for a
 * merge that was asked for; and a commit that nobody expects there is believed when it stays, so that each look that finds
 * it counts.
 */
const isQuiet = (proposal: Proposal, review: Present['review'], at: Asked): boolean =>
  !at.isCancelled &&
  !(isAskOpen(proposal) && at.askedAtMs >= freshFromMs(0, proposal)) &&
  proposal.silentSinceMs === null &&
  proposal.lookError === null &&
  (review.step !== 'proposed' || proposal.seen?.headSha === review.headSha);

/** What of an answer is news, and in how long it is looked at again. */
function judge({ proposal, review }: Pick<Present, 'proposal' | 'review'>, answer: Answer, at: Asked): Found {
  const { number, site, askedAtMs, atMs } = at;
  const mergeRequest = proposal.beadId;
  const inMs = pollAfterMs(proposal, atMs);
  const isKnownWell = isQuiet(proposal, review, at);
  const seen = (pullRequest: PullRequest | null): ForgeFact => ({
    type: 'forge_seen',
    mergeRequest,
    number,
    site,
    seen: pullRequest,
    atMs: askedAtMs,
  });
  switch (answer.state) {
    case 'unchanged':
      return { fact: isKnownWell ? null : seen(null), inMs };
    case 'ok': {
      const { pullRequest } = answer;
      if (!isSameSight(pullRequest, proposal.seen))
        return { fact: seen(pullRequest), inMs: pollAfterMs({ changedAtMs: atMs }, atMs) };
      return { fact: isKnownWell && pullRequest.tag === proposal.seen?.tag ? null : seen(pullRequest), inMs };
    }
    case 'later':
      return {
        fact:
          proposal.silentSinceMs === null ? { type: 'forge_silent', mergeRequest, atMs, error: answer.error } : null,
        inMs: silentAfterMs(proposal.silentSinceMs, atMs, answer.retryAfterMs),
      };
    default: {
      const error = inert(answer.error);
      return {
        fact: proposal.lookError === error ? null : { type: 'forge_refused', mergeRequest, number, site, error },
        inMs,
      };
    }
  }
}
