import { troubleSaid } from '../job-trouble.ts';
import {
  GATE_KILLS_MAX,
  GATE_TIMEOUT_MS,
  FORGE_SILENT_MAX_MS,
  PULL_CONFIRM_RETRY_MS,
  PULL_CONFLICT_RETRY_MS,
  PULL_REFUSED_RETRY_MS,
  RED_TARGET_RETRY_MS,
} from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { JobResult } from '../facts.ts';
import { trusted } from '../model/ids.ts';
import type { Brought } from '../model/outside.ts';
import type { PullRequest } from '../model/pull-request.ts';
import type { ProposalChange } from '../model/proposal.ts';
import type { MergeStep } from '../model/review.ts';
import { missingText, nameOf } from '../pull/policy.ts';
import { asSentence } from '../sentence.ts';
import { gatesDigest } from '../train/gates-digest.ts';
import { redGate, type RedGate } from './gate-verdict.ts';
import { gatesJob } from './merge-candidates.ts';
import { cancelledSource, endReworks } from './merge-end.ts';
import { isOfAnother, mergedAlready, NOTHING_OWN, onTarget, otherQuestion } from './merged-outside.ts';
import { retryBackoffMs } from './outcome.ts';
import { cancelPull } from './pull-cancel.ts';
import {
  decidePull,
  forgotten,
  isElsewhere,
  isWhole,
  tell,
  toConfirm,
  toOpening,
  toStep,
  untell,
  type Pull,
} from './pull-step.ts';
import { goesOn, targetIsRed } from './red-target.ts';
import { askPerson } from './refused-push.ts';
import { conflictCause, rework } from './rework.ts';
import { NOTHING, wakeAt, type RigVerdicts } from './rule.ts';

type Candidate = Extract<JobResult, { readonly result: 'candidate' }>;

/** Merged for good: with the commit that git found in the target. */
const endMerged = (pull: Pull, brought: Brought): readonly RigAction[] => [
  ...mergedAlready(pull.view, pull.review, brought),
  ...endReworks(pull.view, pull.review),
  ...untell(pull),
];

/** What git says before a pull request is opened, before it is merged, or of a conflict that its forge sees. */
export function afterCheck(pull: Pull): RigVerdicts {
  const { view, review } = pull;
  const { result } = review;
  if (result === null) return overdue(pull);
  switch (result.result) {
    case 'already_merged':
      return alreadyMerged(pull, result);
    case 'conflict': {
      const verdict = rework(view, review, 'conflict', conflictCause(review, result));
      return decidePull(pull, verdict.reason, verdict.actions);
    }
    case 'candidate':
      return afterCandidate(pull, result);
    case 'refused':
      return decidePull(pull, `the target can't be looked at: ${result.message}`, [
        ...toStep(pull, 'queued', {
          heldReason: result.message,
          pull: { retryAtMs: pull.nowMs + RED_TARGET_RETRY_MS },
        }),
      ]);
    case 'promoted':
    case 'branch_moved':
      return decidePull(pull, 'its branch is there; its pull request is opened or found', toOpening(pull));
    default:
      return NOTHING;
  }
}

/**
 * What our own agents made is merged when the target has it, whoever brought it there. What somebody else pushed may
 * simply be the target: then nothing of the work is left on the branch, and that is no merge.
 */
function alreadyMerged(pull: Pull, brought: Brought): RigVerdicts {
  const { review, proposal } = pull;
  if (!proposal.isAdopted) {
    // Through a pull request it came the way that people chose for this rig.
    const how = proposal.number === null ? brought : { mergeSha: brought.mergeSha };
    if (isOfAnother(pull.view, review, how))
      return decidePull(pull, NOTHING_OWN, [
        ...toStep(pull, 'queued', { heldReason: NOTHING_OWN }),
        ...askPerson(review, otherQuestion(pull.view, review, how)),
      ]);
    return decidePull(pull, onTarget(how), endMerged(pull, how));
  }
  if (proposal.number === null) return decidePull(pull, 'its forge knows what its branch is by now', toOpening(pull));
  if (proposal.seen?.state !== 'open' || proposal.seenHead !== review.headSha)
    return decidePull(pull, 'something happened to it since', toStep(pull, 'proposed', { heldReason: null }));
  const question = `Somebody else pushed ${review.headSha.slice(0, 12)} to ${review.branch}, which ${review.targetBranch} has already: nothing of ${review.sourceBeadId} is left on its branch. Push its work again, then "gt bead retry ${review.sourceBeadId}", or give it up with "gt bead close ${review.sourceBeadId}".`;
  return decidePull(pull, 'its branch has nothing that the target lacks', [
    ...toStep(pull, 'queued', { heldReason: 'its branch is empty' }),
    ...askPerson(review, question),
  ]);
}

/** Clean. The rig's own gates run on the tree of both, unless that passed before. */
function afterCandidate(pull: Pull, result: Candidate): RigVerdicts {
  const { view, review } = pull;
  const { gates } = view.config();
  const candidate = { sha: trusted.sha(result.candidate), tree: result.tree, targetSha: trusted.sha(result.targetSha) };
  if (gates.length === 0) return decidePull(pull, 'git finds no conflict', passedOn(pull, null));
  if (view.isTested(result.tree, gatesDigest(gates)))
    return decidePull(pull, 'it merges cleanly into what passed the gates before', passedOn(pull, null));
  return decidePull(pull, 'clean merge; gates run on its tree', [
    ...toStep(pull, 'testing', {
      candidate,
      suspect: null,
      job: gatesJob(view, review, candidate.sha),
      deadlineAtMs: gatesUntil(pull),
    }),
  ]);
}

const gatesUntil = ({ view, nowMs }: Pull): number =>
  nowMs + view.config().gates.reduce((sum, gate) => sum + gate.timeoutMs, GATE_TIMEOUT_MS);

/** On to the forge; `tree` is what just passed. */
function passedOn(pull: Pull, tree: string | null): readonly RigAction[] {
  const { review, proposal, nowMs } = pull;
  const passed = {
    ...(tree === null ? {} : { passed: tree }),
    heldReason: null,
    suspect: null,
    gateKills: 0,
    pull: { testedHead: review.headSha, testedAtMs: nowMs, retryAtMs: retryOf(pull) },
  };
  return proposal.number === null ? toOpening(pull, passed) : toStep(pull, 'proposed', passed);
}

/** A conflict that only the forge sees is not asked for in a circle: each wait is as long as it has shown that. */
function retryOf({ proposal, nowMs }: Pull): number {
  if (proposal.seen?.mergeable !== 'conflict') return proposal.retryAtMs;
  const sinceMs = Math.max(PULL_CONFLICT_RETRY_MS, nowMs - proposal.changedAtMs);
  return nowMs + Math.min(PULL_REFUSED_RETRY_MS, sinceMs);
}

/** Marks of `suspect` while the gates run again: nobody is blamed for a flake, nor for a target that is red itself. */
const AGAIN = 'pull:again';
const TARGET = 'pull:target';

/** Blame needs two red runs, and a target that passes. */
export function afterTest(pull: Pull): RigVerdicts {
  const { review } = pull;
  const { result } = review;
  if (result === null) return overdue(pull);
  if (result.result !== 'gates') return NOTHING;
  if (result.green && review.suspect !== TARGET)
    return decidePull(pull, 'all gates are green on the combined tree', [
      ...passedOn(pull, review.testedTree),
      ...targetPasses(pull),
    ]);
  const red = redGate(result.runs.at(-1));
  if (!result.green && red.killedBy !== null) return killed(pull, `gate ${red.name} was ended by ${red.killedBy}`);
  if (review.suspect === TARGET) return afterTarget(pull, result.green ? null : red);
  if (review.suspect === AGAIN)
    return decidePull(pull, 'red twice; the target by itself is tested', rerun(pull, TARGET, red.log));
  return decidePull(pull, 'red; it is run again before anybody is blamed', rerun(pull, AGAIN, red.log));
}

function rerun(pull: Pull, suspect: string, gateLog: string): readonly RigAction[] {
  const { view, review } = pull;
  const commit = suspect === TARGET ? review.targetSha : review.candidateSha;
  if (commit === null) return [];
  return toStep(pull, 'testing', {
    job: gatesJob(view, review, commit),
    suspect,
    gateLog,
    deadlineAtMs: gatesUntil(pull),
  });
}

/** As by the train: of all that waits for a red target a person is told once. A pause is a person's word, and stays. */
function afterTarget(pull: Pull, red: RedGate | null): RigVerdicts {
  const { view, review, nowMs } = pull;
  const { targetBranch: target } = review;
  const train = view.train(target);
  const retryAtMs = nowMs + RED_TARGET_RETRY_MS;
  if (red !== null)
    return decidePull(pull, 'the target itself is red; nobody is blamed', [
      ...toStep(pull, 'queued', {
        heldReason: `${target} itself is red (gate ${red.name}); nobody's work is blamed`,
        suspect: null,
        pull: { retryAtMs },
      }),
      ...(train.state === 'paused' ? [] : targetIsRed(train, { target, red, tree: null, retryAtMs })),
    ]);
  const log = review.gateLog ?? '';
  const verdict = rework(view, review, 'rework', {
    reason: 'its gates are red',
    title: 'Make the gates green',
    body: `The gates failed on the result of merging ${review.branch} into ${review.targetBranch}, twice, while ${review.targetBranch} by itself passed.\n\n${log}`,
    gateLog: log,
    notBeforeMs: review.rounds === 0 ? 0 : nowMs + retryBackoffMs(review.rounds),
  });
  return decidePull(pull, verdict.reason, [...verdict.actions, ...targetPasses(pull)]);
}

function targetPasses({ view, review }: Pull): readonly RigAction[] {
  const train = view.train(review.targetBranch);
  return train.state === 'red' ? goesOn(train) : [];
}

function killed(pull: Pull, what: string): RigVerdicts {
  const { view, review } = pull;
  const gateKills = review.gateKills + 1;
  const commit = review.suspect === TARGET ? review.targetSha : review.candidateSha;
  if (gateKills < GATE_KILLS_MAX && commit !== null)
    return decidePull(pull, `${what}, which says nothing about the work; it runs again`, [
      ...toStep(pull, 'testing', {
        job: gatesJob(view, review, commit),
        gateKills,
        deadlineAtMs: gatesUntil(pull),
      }),
    ]);
  const question = `The ${what} ${String(gateKills)} times on ${review.sourceBeadId}: out of memory, or stopped by somebody. Its work is not blamed. When the machine is well: "gt bead retry ${review.sourceBeadId}".`;
  return decidePull(pull, `${what} too often`, [
    ...toStep(pull, 'queued', { heldReason: what, gateKills: 0, suspect: null }),
    ...askPerson(review, question),
  ]);
}

/** A runner that does not answer is told to a person once; the job goes on being asked for. */
function overdue(pull: Pull): RigVerdicts {
  const { view, review, nowMs } = pull;
  if (review.deadlineAtMs === null) return NOTHING;
  if (nowMs < review.deadlineAtMs) return wakeAt(review.deadlineAtMs);
  const message = `${review.beadId} has been ${review.step} past its deadline; the runner or its git host does not answer.${troubleSaid(view, review.stepKey)}`;
  return decidePull(pull, 'the step is overdue', tell(pull, message));
}

/**
 * The forge says merged. Only git's word ends it: the commit is in the target. Until then it is looked for again; what the
 * forge takes back is proposed as before.
 */
export function afterConfirm(pull: Pull): RigVerdicts {
  const { review, proposal } = pull;
  const { result } = review;
  if (result === null) return overdue(pull);
  if (result.result === 'already_merged')
    return decidePull(
      pull,
      'its forge says merged, and the target has it',
      endMerged(pull, { mergeSha: result.mergeSha }),
    );
  if (isElsewhere(pull))
    return decidePull(pull, "the rig's forge is another one now, and its target does not have it", [
      ...toStep(pull, goesTo(pull, 'queued'), { heldReason: null, pull: forgotten(null) }),
      ...cancelledAs(pull),
    ]);
  const { seen } = proposal;
  if (seen?.state !== 'merged')
    return decidePull(
      pull,
      'its forge says now that it is not merged',
      toStep(pull, goesTo(pull, 'proposed'), { heldReason: null }),
    );
  if (!isWhole(pull)) return withoutLast(pull);
  return notThereYet(pull, seen, result);
}

/** It was merged while rework was on its way: the rest is proposed by itself. */
function withoutLast(pull: Pull): RigVerdicts {
  const { proposal, review } = pull;
  const what = nameOf({ number: proposal.number ?? 0 });
  const reason = `${what} was merged without the last commits; they get a pull request of their own`;
  return decidePull(pull, reason, [
    ...toStep(pull, goesTo(pull, 'queued'), {
      heldReason: reason,
      pull: forgotten(proposal.number),
    }),
    ...cancelledAs(pull, `${what} was merged without its last commits, and is in ${review.targetBranch}`),
  ]);
}

/** A cancel that waited for git's word is carried out. */
function cancelledAs(pull: Pull, found?: string): readonly RigAction[] {
  const source = cancelledSource(pull.view, pull.review);
  return source === null ? [] : cancelPull(pull, source, found);
}

/** Where it goes on after git's word: an agent may still rework it, and must find it there. */
const goesTo = ({ view, review }: Pull, to: 'queued' | 'proposed'): MergeStep =>
  view.openReworks(review.beadId).length > 0 ? 'reworking' : to;

/** What people just merged may take a moment to be there; what stays away is for people, and so is another base at once. */
function notThereYet(pull: Pull, seen: PullRequest, result: JobResult): RigVerdicts {
  const { review, proposal, nowMs } = pull;
  const isRefused = result.result === 'refused';
  const found = isRefused ? `can't be looked at: ${result.message}` : 'does not have that';
  const reason = `its forge says merged as ${seen.mergeSha ?? 'unknown'}, and ${review.targetBranch} ${found}`;
  const isKnown = proposal.waitReason === reason || proposal.waitReason === missingText(seen, review);
  const sinceMs = isKnown ? (proposal.waitSinceMs ?? nowMs) : nowMs;
  const isLong = nowMs >= sinceMs + FORGE_SILENT_MAX_MS;
  if (!isRefused && (isLong || seen.base !== review.targetBranch)) return missing(pull, seen, sinceMs);
  if (!isKnown)
    return decidePull(pull, reason, [
      {
        type: 'pull_note',
        mergeRequest: review.beadId,
        change: { waitsFor: 'forge', waitReason: reason, waitSinceMs: nowMs, retryAtMs: nowMs + PULL_CONFIRM_RETRY_MS },
      },
    ]);
  if (nowMs < proposal.retryAtMs) return wakeAt(proposal.retryAtMs);
  // As long as it has lasted already, so that a night of it is not a job every half a minute.
  const waitMs = Math.min(PULL_REFUSED_RETRY_MS, Math.max(PULL_CONFIRM_RETRY_MS, nowMs - sinceMs));
  return decidePull(pull, 'it may be there by now', [
    ...toConfirm(pull, seen, { pull: { retryAtMs: nowMs + waitMs } }),
    ...(isLong ? tell(pull, `${review.sourceBeadId} is not called merged: ${asSentence(reason)} Look at both.`) : []),
  ]);
}

/** Merged elsewhere, or the target was reset since. People say what now; git is asked again every half an hour. */
function missing(pull: Pull, seen: PullRequest, sinceMs: number): RigVerdicts {
  const { view, review, nowMs } = pull;
  const question = missingText(seen, review);
  const source = cancelledSource(view, review);
  const pullChange: ProposalChange = {
    waitsFor: 'people',
    waitReason: question,
    waitSinceMs: sinceMs,
    retryAtMs: nowMs + PULL_REFUSED_RETRY_MS,
  };
  const step = toStep(pull, goesTo(pull, 'proposed'), { heldReason: null, pull: pullChange });
  if (source === null)
    return decidePull(pull, question, [...step, ...tell(pull, `${review.sourceBeadId}: ${asSentence(question)}`)]);
  const what = `${nameOf(seen)} was merged into ${seen.base}, and git did not find it in ${review.targetBranch}`;
  return decidePull(pull, 'its cancel is carried out', [...step, ...cancelPull(pull, source, what)]);
}
