/**
 * "Why does this wait?": one sentence from the same facts the rules read, naming the rule that decides, since when,
 * and what would change it. The same text in CLI, JSON and API.
 */
import { noRunnerReason } from './rules/choose-runner.ts';
import type { Agent } from './model/agent.ts';
import {
  isTerminal,
  phaseOf,
  sourceOf,
  type Bead,
  type BeadPhase,
  type Blocker,
  type CloseReason,
} from './model/bead.ts';
import { trusted, type BeadId } from './model/ids.ts';
import { polecatOf } from './model/polecat.ts';
import type { Why } from './queries.ts';
import { asSentence } from './sentence.ts';
import { counted, duration } from './text.ts';
import { claimKey } from './rules/verify-done.ts';
import { troubleNow } from './job-trouble.ts';
import { queuedText, stepText } from './why-train.ts';
import { cancelText, closingText, pullText } from './why-pull.ts';
import { breakerWait, openBreaker } from './why-breaker.ts';
import { retryCommand } from './retry-advice.ts';
import { parkedText, whyNotAdmitted } from './why-money.ts';
import { reopenedText, whyFeature } from './why-feature.ts';
import type { AttemptFacts, ReviewFacts, RigView } from './view.ts';

export interface Sentence {
  readonly sentence: string;
  readonly rule: string;
  readonly next: string | null;
  /** The command that would change it, where one does. */
  readonly command?: string;
  readonly sinceMs?: number | null;
  readonly wakeAtMs?: number | null;
}

const why = (id: string, state: string, text: Sentence): Why => ({
  id,
  state,
  sentence: asSentence(text.sentence),
  rule: text.rule,
  sinceMs: text.sinceMs ?? null,
  next: text.next,
  command: text.command ?? null,
  wakeAtMs: text.wakeAtMs ?? null,
});

/** The bead's phase with what its agent and its merge request add to it. */
export function phaseIn(view: RigView, bead: Bead, nowMs: number): BeadPhase {
  const review = bead.status === 'in_review' ? view.reviewOf(bead.id) : null;
  const mergeHold = review === null ? null : (view.bead(review.beadId)?.hold ?? null);
  const live = bead.status === 'in_progress' && bead.type === 'issue' ? view.liveAttempt(bead.id) : null;
  const asks = live !== null && live.question !== null && live.claim === null;
  return phaseOf(bead, nowMs, { mergeHold, asks });
}

export function whyBead(view: RigView, bead: Bead, blockers: readonly Blocker[], nowMs: number): Why {
  if (bead.type === 'merge_request') return whyMergeRequest(view, bead, nowMs);
  const state = phaseIn(view, bead, nowMs);
  const say = (text: Sentence): Why => why(bead.id, state, { sinceMs: bead.updatedAtMs, ...text });
  if (isTerminal(bead.status)) return say(reopenedText(bead, endedText(view, bead)));
  if (bead.status === 'in_progress') return say(runningText(view, bead, nowMs));
  if (bead.status === 'in_review') {
    const review = view.reviewOf(bead.id);
    const mergeRequest = review === null ? null : view.bead(review.beadId);
    if (mergeRequest === null)
      return say({ sentence: 'In review without a merge request.', rule: 'invariant I5', next: 'Run "gt doctor".' });
    const text = { ...whyMergeRequest(view, mergeRequest, nowMs), id: bead.id, state };
    return bead.cancelRequestedAtMs === null
      ? text
      : { ...text, sentence: `${cancelText(view, mergeRequest.id)} ${text.sentence}` };
  }
  return say(openText(view, bead, blockers, nowMs));
}

function endedText(view: RigView, bead: Bead): Sentence {
  const sinceMs = bead.closedAtMs;
  switch (bead.closeReason) {
    case 'merged':
      return {
        sentence: `Merged into ${bead.evidence?.target ?? bead.targetBranch} as ${bead.evidence?.mergeSha ?? 'unknown'}.${bead.evidence?.note === undefined ? '' : ` ${bead.evidence.note}`}`,
        rule: 'merge-step',
        next: null,
        sinceMs,
      };
    case 'integrated':
      return {
        sentence: `Its work is part of ${bead.branchOf ?? 'its branch'} at ${bead.evidence?.head ?? 'unknown'}.`,
        rule: 'verify-done',
        next: null,
        sinceMs,
      };
    default:
      return {
        sentence: `${otherEnd(bead)} ${pullEnd(view, bead)}`,
        rule: 'bead-ended',
        next: null,
        sinceMs,
      };
  }
}

function pullEnd(view: RigView, bead: Bead): string {
  const review = view.reviewOf(bead.id);
  return review === null ? '' : closingText(view.proposal(review.beadId));
}

const END_TEXT: Readonly<Partial<Record<CloseReason, string>>> = {
  cancelled: 'Cancelled',
  no_change: 'Closed: nothing needed to change',
  attempts_exhausted: 'Failed: its attempts are used up',
  merge_failed: 'Failed: it could not be merged',
  source_ended: 'Ended with the bead it belongs to',
};

function otherEnd(bead: Bead): string {
  const end = bead.closeReason === null ? undefined : END_TEXT[bead.closeReason];
  return `${end ?? `Ended as ${bead.closeReason ?? bead.status}`}. ${bead.evidence?.note ?? ''}`;
}

function runningText(view: RigView, bead: Bead, nowMs: number): Sentence {
  const attempt = view.liveAttempt(bead.id);
  if (attempt === null)
    return { sentence: 'In progress without a live attempt.', rule: 'invariant I4', next: 'Run "gt doctor".' };
  const sinceMs = attempt.startedAtMs;
  if (attempt.claim !== null)
    return {
      sentence: `${attempt.agentId} says it is done; the claim is ${attempt.claim.state}.${troubleNow(view, claimKey(attempt), nowMs)}`,
      rule: 'verify-done',
      next: 'The verdict of the verification.',
      sinceMs: attempt.claimedAtMs,
    };
  if (attempt.contactLostAtMs !== null)
    return {
      sentence: `Contact to the runner of ${attempt.agentId} is lost.`,
      rule: 'lost-contact',
      next: 'The runner answers, or the takeover deadline passes.',
      sinceMs: attempt.contactLostAtMs,
    };
  if (attempt.question !== null)
    return {
      sentence: `${attempt.agentId} waits for a person: ${attempt.question.text}`,
      rule: 'events',
      next: 'A person answers.',
      command: answerTo(attempt.agentId),
      sinceMs: attempt.question.atMs,
    };
  if (attempt.runningAtMs === null)
    return {
      sentence: `${attempt.agentId} is being started (attempt ${attempt.id}).`,
      rule: 'assign-work',
      next: 'The runner confirms the process.',
      sinceMs,
    };
  return {
    sentence: `${attempt.agentId} works on it (attempt ${attempt.id}, epoch ${String(attempt.epoch)}).`,
    rule: 'assign-work',
    next: 'The agent calls "gt done", or its process ends.',
    sinceMs: attempt.runningAtMs,
  };
}

const answerTo = (agent: string): string => `gt mail send ${agent} "<answer>"`;

function openText(view: RigView, bead: Bead, blockers: readonly Blocker[], nowMs: number): Sentence {
  const failed = blockers.filter((blocker) => blocker.state === 'failed').map((blocker) => blocker.blockerRef);
  if (failed.length > 0)
    return {
      sentence: `A bead it needs has not been done: ${failed.join(', ')}.`,
      rule: 'bead-ended',
      next: `A person decides: "gt bead close ${bead.id}" gives it up.`,
      command: `gt bead close ${bead.id}`,
    };
  if (bead.hold === 'needs_human') return holdText(view, bead);
  const open = blockers.filter((blocker) => blocker.state === 'open').map((blocker) => blocker.blockerRef);
  if (open.length > 0) return waitsFor(view, open);
  if (bead.hold !== null) return holdText(view, bead);
  if (bead.notBeforeMs > nowMs) {
    const last = view.lastAttempt(bead.id)?.reason ?? null;
    const count = counted(bead.failures, 'failed attempt');
    return {
      sentence: `Backs off after ${count}; next try in ${duration(bead.notBeforeMs - nowMs)}.${last === null ? '' : ` Last: ${last}`}`,
      rule: 'dead-agent',
      next: 'The wait ends, or a person has it tried now.',
      command: `gt bead retry ${bead.id}`,
      wakeAtMs: bead.notBeforeMs,
    };
  }
  return whyFeature(view, bead) ?? readyText(view, bead, nowMs);
}

/** What it waits for goes on by itself, unless one of them waits for a person: then that is the whole answer. */
function waitsFor(view: RigView, open: readonly string[]): Sentence {
  const sentence = `Waits for ${open.join(', ')}`;
  const standing = open.find((ref) => needsPerson(view, trusted.bead(ref)));
  return standing === undefined
    ? { sentence: `${sentence}.`, rule: 'bead-ended', next: `${open[0] ?? 'It'} is merged or needs no change.` }
    : {
        sentence: `${sentence}; ${standing} waits for a person.`,
        rule: 'bead-ended',
        next: `A person looks at ${standing}.`,
        command: `gt why ${standing}`,
      };
}

/** What another rig has is not seen from here. */
function needsPerson(view: RigView, id: BeadId): boolean {
  const review = view.reviewOf(id);
  const all = [view.bead(id), review === null ? null : view.bead(review.beadId)];
  return all.some((bead) => bead?.hold === 'needs_human');
}

function holdText(view: RigView, bead: Bead): Sentence {
  const reason = bead.holdReason ?? 'held';
  switch (bead.hold) {
    case 'staged':
      return bead.convoyId === null
        ? {
            sentence: 'Recorded, not slung yet.',
            rule: 'assign-work',
            next: 'A person slings it.',
            command: `gt sling ${bead.id}`,
          }
        : {
            sentence: `Its convoy ${bead.convoyId} has not started.`,
            rule: 'convoy',
            next: 'A person starts the convoy.',
            command: `gt convoy start ${bead.convoyId}`,
          };
    case 'needs_human':
      return {
        sentence: reason,
        rule: 'dead-agent',
        next: 'A person has it tried again when it can go on, or cancels it.',
        command: retryCommand(view, bead),
      };
    case 'parked':
      return parkedText(bead, reason);
    default:
      return {
        sentence: `Held by a person: ${reason}.`,
        rule: 'assign-work',
        next: 'A person releases it.',
        command: `gt bead release ${bead.id}`,
      };
  }
}

function readyText(view: RigView, bead: Bead, nowMs: number): Sentence {
  const config = view.config();
  if (view.isDraining() && bead.branchOf === null)
    return {
      sentence: `Ready, but ${config.name} is drained: it is cancelled when what is in the merge line has ended.`,
      rule: 'assign-work',
      next: 'The rig is removed, or a person takes it out of parking.',
      command: `gt rig unpark ${config.name}`,
    };
  if (config.parked && !view.isDraining())
    return {
      sentence: `Ready, but the rig ${config.name} is parked.`,
      rule: 'assign-work',
      next: 'A person takes the rig out of parking.',
      command: `gt rig unpark ${config.name}`,
    };
  const breaker = openBreaker(view, bead, nowMs);
  if (breaker !== null) return breakerWait(view, breaker);
  const noRunner = noRunnerReason(view);
  if (noRunner !== null)
    return {
      sentence: `Ready, but ${noRunner}.`,
      rule: 'assign-work',
      next: 'A runner that fits comes back, or is drained no more.',
      command: 'gt runner list',
    };
  const taken = view.slotsTaken();
  if (taken >= config.polecatsMax)
    return {
      sentence: `Ready; all ${String(config.polecatsMax)} polecats of the rig are taken.`,
      rule: 'assign-work',
      next: 'A polecat is free.',
    };
  const obstacle = whyNotAdmitted(view, bead, nowMs);
  if (obstacle !== null) return obstacle;
  const pinned = bead.pinnedAgent === null ? null : polecatOf(config.name, bead.pinnedAgent);
  if (pinned !== null)
    return {
      sentence: `Ready; waits for the agent ${pinned}.`,
      rule: 'assign-work',
      next: 'That agent is free.',
    };
  const source = sourceOf(bead);
  return {
    sentence: `Ready; the process before it on the branch of ${source} has not ended, or its turn comes in this moment.`,
    rule: 'assign-work',
    next: 'It is dispatched.',
  };
}

function whyMergeRequest(view: RigView, bead: Bead, nowMs: number): Why {
  const review = view.review(bead.id);
  const say = (text: Sentence): Why =>
    why(bead.id, phaseOf(bead, nowMs), { sinceMs: review?.queuedAtMs ?? bead.updatedAtMs, ...text });
  if (isTerminal(bead.status)) return say(endedText(view, bead));
  if (review === null)
    return say({ sentence: 'A merge request without its record.', rule: 'invariant I5', next: 'Run "gt doctor".' });
  if (bead.hold !== null)
    return say({
      sentence: bead.holdReason ?? 'Held.',
      rule: 'merge-step',
      next: 'A person has it tried again when it can go on, or cancels it.',
      command: `gt bead retry ${review.sourceBeadId}`,
      sinceMs: bead.updatedAtMs,
    });
  if (review.step === 'preparing' || review.step === 'gating' || review.step === 'pushing')
    return say(stepText(view, review, nowMs));
  const [rework] = view.openReworks(bead.id);
  if (rework !== undefined) return say(reworkText(view, review, rework, nowMs));
  return say(pullText(view, bead.id, nowMs) ?? queuedText(view, review, nowMs));
}

/** What keeps the rework from being worked on is said with it: nobody looks for that under another id. */
function reworkText(view: RigView, review: ReviewFacts, rework: Bead, nowMs: number): Sentence {
  const what = `Waits for the ${rework.kind === 'review' ? 'review' : 'rework'} ${rework.id}: ${review.heldReason ?? rework.title}.`;
  const next = `${rework.id} is done.`;
  if (rework.status !== 'open') return { sentence: what, rule: 'merge-step', next };
  const { sentence, command, wakeAtMs } = openText(view, rework, [], nowMs);
  const rest = { ...(command === undefined ? {} : { command }), ...(wakeAtMs === undefined ? {} : { wakeAtMs }) };
  if (Object.keys(rest).length === 0) return { sentence: what, rule: 'merge-step', next };
  return { sentence: `${what} ${asSentence(sentence)}`, rule: 'merge-step', next, ...rest };
}

export const whyAgent = (agent: Agent, attempt: AttemptFacts | null): Why =>
  why(agent.id, agent.status, { sinceMs: agent.updatedAtMs, ...agentText(agent, attempt) });

function agentText(agent: Agent, attempt: AttemptFacts | null): Sentence {
  switch (agent.status) {
    case 'idle':
      return { sentence: 'Idle: nothing is on its hook.', rule: 'free-agent', next: 'Ready work and a free slot.' };
    case 'starting':
      return {
        sentence: `Is being started on ${agent.hookBeadId ?? 'its hook'}.`,
        rule: 'assign-work',
        next: 'The runner confirms the process.',
        wakeAtMs: agent.leaseUntilMs,
      };
    case 'stopping':
      return {
        sentence: `Its attempt ended (${attempt?.outcome ?? 'unknown'}); its process is being stopped.`,
        rule: 'free-agent',
        next: 'The runner proves that nothing of it is left.',
      };
    case 'stalled':
      return stalledText(agent);
    case 'waiting':
      return waitingText(agent, attempt);
    case 'unknown':
      return {
        sentence: 'Contact is lost.',
        rule: 'lost-contact',
        next: 'The runner answers, or the takeover deadline passes.',
      };
    default:
      return workingText(agent, attempt);
  }
}

const stalledText = (agent: Agent): Sentence => ({
  sentence: `Has ${agent.hookBeadId ?? 'work'} on its hook but shows no activity since ${agent.lastActivityAtMs === null ? 'its start' : 'its last sign of life'}.`,
  rule: 'gupp',
  next: 'It shows activity, or it is asked, reported and at last stopped.',
  sinceMs: agent.lastActivityAtMs,
});

const waitingText = (agent: Agent, attempt: AttemptFacts | null): Sentence => ({
  sentence: `${agent.id} waits for a person: ${attempt?.question?.text ?? 'it said so'}`,
  rule: 'events',
  next: 'A person answers.',
  command: answerTo(agent.id),
  sinceMs: attempt?.question?.atMs ?? agent.updatedAtMs,
});

const workingText = (agent: Agent, attempt: AttemptFacts | null): Sentence => ({
  sentence: `Works on ${agent.hookBeadId ?? 'nothing'}${attempt === null ? '' : ` (attempt ${attempt.id}, epoch ${String(attempt.epoch)})`}.`,
  rule: 'assign-work',
  next: 'It calls "gt done", or its process ends.',
});
