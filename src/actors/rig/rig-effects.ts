import type { AgentReport, Job, StartAgent, StopAgent } from '../../core/facts.ts';
import { LEASE_MS, START_DEADLINE_MS } from '../../core/limits.ts';
import { must } from '../../core/assert.ts';
import { attemptRef, branchName, rescueRef } from '../../core/model/agent.ts';
import { gateIsolation, isolationOf, NO_SHIELD, sandboxOf } from '../../core/model/isolation.ts';
import { sourceOf, type Bead } from '../../core/model/bead.ts';
import { trusted } from '../../core/model/ids.ts';
import { mailDigest } from '../../core/mail-digest.ts';
import { RESTARTING_RUNTIMES } from '../../core/runtimes.ts';
import { AGENT_VERBS, REVIEWER_VERBS } from '../../core/queries.ts';
import { attemptEntity, parseRef, type Ref } from '../../core/refs.ts';
import { repoFor } from '../../core/rules/feature-branch.ts';
import { chooseJobRunner, isElsewhere, isRemoved, jobRunners } from '../../core/rules/choose-runner.ts';
import { isOfClaim } from '../../core/rules/verify-done.ts';
import type { AttemptFacts } from '../../core/view.ts';
import { RunnerRefusal } from '../../ports/runner-client.ts';
import { unseenEnds } from '../../store/runner-store.ts';
import type { NewEvent, OutboxRow } from '../../store/kernel-store.ts';
import { parseJson } from '../../store/rows.ts';
import { isProbeWanted } from '../../store/train-store.ts';
import type { EffectOutcome, Observation } from '../kernel/program.ts';
import { renewAt } from './rig-actions.ts';
import type { RigContext } from './rig-context.ts';
import type { RigEvent } from './rig-events.ts';
import { agentPrompt } from './agent-prompt.ts';
import type { ForgeFact } from './forge-facts.ts';
import { look, performForge } from './rig-forge.ts';
import { performNudge } from './rig-nudges.ts';
import { runnerAt } from '../runner-at.ts';
import { presetFor, wantsFresh } from './start-runtime.ts';

/** A capability outlives the wall clock by this much, so that a last "gt done" is not refused for its clock. */
const CAPABILITY_GRACE_MS = 10 * 60_000;
/** A stop that was answered "stopping" is asked about again after this long. */
const STOP_POLL_MS = 500;
/** An attempt whose runner does not answer, or that is still being started, is asked about again after this long. */
const OBSERVE_AGAIN_MS = 10_000;

const DONE: EffectOutcome = { state: 'done' };

function own(key: string, event: Exclude<RigEvent, ForgeFact>): NewEvent {
  return {
    key,
    type: `own.${event.type}`,
    subject: 'attempt' in event ? `attempt:${event.attempt}` : `job:${event.jobKey}`,
    payload: event,
  };
}

/** Talks to the runner for the rig, after commit. Every call re-reads its guard first: a decision may be obsolete. */
export class RigEffects {
  readonly #rig: RigContext;

  constructor(rig: RigContext) {
    this.#rig = rig;
  }

  perform(row: OutboxRow): Promise<EffectOutcome> {
    switch (row.kind) {
      case 'start':
        return this.#start(trusted.attempt(parseJson<{ attempt: string }>(row.payload).attempt));
      case 'stop':
        return this.#stop(parseJson<StopAgent>(row.payload));
      case 'nudge':
        return performNudge(this.#rig, parseJson<{ nudge: string }>(row.payload).nudge);
      case 'job':
        return this.#job(parseJson<{ job: Job }>(row.payload).job);
      case 'forge':
        return performForge(this.#rig, row);
      case 'cancel_job':
        return this.#cancelJob(parseJson<{ key: string }>(row.payload).key);
      default:
        return Promise.resolve({ state: 'failed', error: `unknown effect ${row.kind}` });
    }
  }

  async #start(id: ReturnType<typeof trusted.attempt>): Promise<EffectOutcome> {
    const attempt = this.#rig.view.attempt(id);
    if (attempt === null || attempt.endedAtMs !== null || attempt.processGone || attempt.runningAtMs !== null)
      return DONE;
    const capability = await this.#rig.ports.mintCapability({
      town: this.#rig.town,
      rig: this.#rig.view.config().name,
      agent: attempt.agentId,
      bead: attempt.beadId,
      attempt: attempt.id,
      epoch: attempt.epoch,
      verbs: this.#rig.view.bead(attempt.beadId)?.kind === 'review' ? [...AGENT_VERBS, ...REVIEWER_VERBS] : AGENT_VERBS,
      expiresAtMs: attempt.startedAtMs + this.#rig.view.config().wallClockMs + CAPABILITY_GRACE_MS,
    });
    try {
      await runnerAt(this.#rig, attempt.runner).start(this.#startRequest(attempt, capability));
      return DONE;
    } catch (error) {
      if (!(error instanceof RunnerRefusal)) throw error;
      if (error.code === 'busy' || error.code === 'draining') return { state: 'retry', error: error.message };
      return {
        state: 'done',
        event: own(`start_refused:${id}`, {
          type: 'start_refused',
          attempt: id,
          code: error.code,
          message: error.message,
        }),
      };
    }
  }

  #startRequest(attempt: AttemptFacts, capability: string): StartAgent {
    const { view } = this.#rig;
    const config = view.config();
    const bead = must(view.bead(attempt.beadId), 'an attempt has its bead');
    const source = must(view.bead(sourceOf(bead)), 'a branch has its source');
    const checkpoint = view.agent(attempt.agentId)?.checkpoint ?? null;
    const branch = view.reviewOf(source.id)?.branch ?? branchName(source.id);
    const mail = mailDigest(view.mail.deliveredTo(attempt.agentId, attempt.id));
    return {
      attempt: attempt.id,
      epoch: attempt.epoch,
      agent: attempt.agentId,
      rig: config.name,
      bead: bead.id,
      sourceBead: source.id,
      kind: bead.kind,
      round: attempt.round,
      runtime: attempt.runtime,
      model: attempt.model,
      title: bead.title,
      body: bead.body,
      recipeBody: source.body,
      recipeAllowed: source.origin === 'human',
      prompt: agentPrompt(
        this.#rig,
        { agent: attempt.agentId, bead, source, checkpoint, runtime: attempt.runtime },
        mail,
      ),
      checkpoint,
      repo: this.#shared(repoFor(view, bead.targetBranch)),
      ...this.#startingPoint(attempt, bead),
      branch,
      author: { name: attempt.agentId, email: config.ownerEmail },
      capability,
      env: config.command === null ? {} : { GT_COMMAND: config.command },
      ...presetFor(config, attempt.runtime),
      ...wantsFresh(this.#rig, attempt),
      startDeadlineMs: attempt.startedAtMs + START_DEADLINE_MS,
      startWithinMs: attempt.startedAtMs + START_DEADLINE_MS - this.#rig.ports.clock.now(),
      wallClockMs: config.wallClockMs,
      ...this.#shieldOf(attempt.runtime),
    };
  }

  /**
   * Where the work goes on: at the newest commits that an earlier attempt of the bead left, else on the branch that is
   * continued, else on the target. Work that is continued is judged against the base it began from, so that commits of
   * an agent that died count for its successor.
   */
  #startingPoint(
    attempt: AttemptFacts,
    bead: Bead,
  ): Pick<StartAgent, 'fixedHead' | 'restoreFrom' | 'claimBase' | 'resumeRefs'> {
    const { view } = this.#rig;
    const restarts = RESTARTING_RUNTIMES.has(attempt.runtime);
    const earlier = restarts ? null : view.earlierWork(bead.id);
    const continued = bead.branchOf === null ? null : (view.reviewOf(bead.branchOf)?.headSha ?? null);
    // A bead of a convoy that lands at once starts from what the convoy has so far, wherever its branch is now.
    const convoy = view.feature(bead.targetBranch)?.headSha ?? null;
    const source = sourceOf(bead);
    // An end that nobody saw: its runner is lost, and what it stored last is on the origin at best.
    const resumeRefs = restarts
      ? []
      : unseenEnds(this.#rig.sql, bead.id).flatMap(({ id, epoch }) => [
          rescueRef(source, id),
          attemptRef(source, epoch),
        ]);
    const claimBase = continued ?? bead.baseSha;
    if (earlier !== null) return { fixedHead: earlier.head, restoreFrom: earlier.rescueRef, claimBase, resumeRefs };
    return {
      fixedHead: continued ?? convoy,
      restoreFrom: null,
      claimBase: resumeRefs.length > 0 ? claimBase : null,
      resumeRefs,
    };
  }

  /** How its process is shut in and what it may use, by the settings as they are now. */
  #shieldOf(runtime: string): Pick<StartAgent, 'sandbox' | 'limits'> {
    const { shield } = this.#rig.view.config();
    if (shield === undefined) return {};
    return { ...sandboxOf(shield, isolationOf(shield, runtime)), limits: shield.limits };
  }

  /** Gates run what agents wrote. */
  #shut(job: Job): Job {
    const shield = this.#rig.view.config().shield ?? NO_SHIELD;
    return job.kind === 'gates' ? { ...job, ...sandboxOf(shield, gateIsolation(shield)) } : job;
  }

  /** With several runners, what one made must be where the others find it. Nothing is pushed that looks like a key. */
  #shared(repo: Job['repo']): Job['repo'] {
    const allowed = (this.#rig.view.config().shield ?? NO_SHIELD).secretsAllowed;
    const searched = { ...repo, secretsAllowed: allowed };
    return this.#rig.view.runners().length > 1 ? { ...searched, shared: true } : searched;
  }

  async #stop(request: StopAgent): Promise<EffectOutcome> {
    const attempt = this.#rig.view.attempt(trusted.attempt(request.attempt));
    // Declared gone after a long silence is no proof: only an exit record makes the order needless.
    if (attempt === null || attempt.exit !== null || isRemoved(this.#rig.view.runners(), attempt.runner)) return DONE;
    const answer = await runnerAt(this.#rig, attempt.runner).stop(request);
    if (answer.state === 'stopping')
      return { state: 'retry', error: 'stopping', atMs: this.#rig.ports.clock.now() + STOP_POLL_MS };
    if (answer.exit !== null) return { state: 'done', event: exitEvent(attempt, answer.exit) };
    return {
      state: 'done',
      event: own(`gone:${attempt.id}`, { type: 'attempt_gone', attempt: attempt.id, reason: 'stopped; it never ran' }),
    };
  }

  async #job(job: Job): Promise<EffectOutcome> {
    if (!this.#isWanted(job)) return DONE;
    const { view, ports } = this.#rig;
    const attempt = attemptOf(view, job);
    // A claim is judged where its work is; all other git work has one place per rig.
    const runner = chooseJobRunner(view, attempt?.runner ?? null);
    // Where the repository is now, not where it was when this was ordered: a person may have corrected it since.
    const repo = { ...job.repo, url: view.config().url };
    const answer = await runnerAt(this.#rig, runner).job({
      ...this.#shut(job),
      repo: this.#shared(repo),
      ...(attempt === null ? {} : { elsewhere: isElsewhere(view, attempt, { runner, nowMs: ports.clock.now() }) }),
    });
    if (answer.state === 'accepted') return { state: 'accepted' };
    if (answer.result.result === 'error') return { state: 'retry', error: answer.result.message };
    return {
      state: 'done',
      event: own(`result:${job.key}`, { type: 'job_result', jobKey: job.key, result: answer.result }),
    };
  }

  /**
   * Tells every runner that may have it: where a job runs can have moved since it was ordered. One that is away, or without
   * the call, lets the job run to its end; its result is late then and changes nothing.
   */
  async #cancelJob(key: string): Promise<EffectOutcome> {
    await Promise.all(jobRunners(this.#rig.view).map(async (runner) => runnerAt(this.#rig, runner).cancelJob?.(key)));
    return DONE;
  }

  /** The guard of a job, read again just before it is performed. */
  #isWanted(job: Job): boolean {
    if (job.kind === 'repo') return true;
    if (isOfClaim(job.key)) {
      const attempt = this.#rig.view.attempt(trusted.attempt(job.key.split(':')[1] ?? ''));
      return (
        attempt !== null &&
        attempt.endedAtMs === null &&
        attempt.claim?.state === (job.kind === 'verify' ? 'verifying' : 'promoting')
      );
    }
    if (job.kind === 'gates' && isProbeWanted(this.#rig.sql, job.key)) return true;
    return stepKeyOf(this.#rig, job) === job.key;
  }

  /** Asks the runner about attempts whose lease or deadline is near: one call for all of them. */
  async observe(entities: readonly Ref[]): Promise<Observation> {
    const looked = entities
      .filter((ref) => parseRef(ref).kind === 'bead')
      .map(async (ref) => ({ ref, ...(await look(this.#rig, trusted.bead(parseRef(ref).id))) }));
    const attempts = entities
      .filter((ref) => parseRef(ref).kind === 'attempt')
      .map((ref) => this.#rig.view.attempt(trusted.attempt(parseRef(ref).id)))
      .filter((attempt): attempt is AttemptFacts => attempt !== null && !attempt.processGone);
    const events: NewEvent[] = [];
    const again = new Map<Ref, number>();
    const byRunner = new Map<string, AttemptFacts[]>();
    for (const attempt of attempts) byRunner.set(attempt.runner, [...(byRunner.get(attempt.runner) ?? []), attempt]);
    const asked = await Promise.all([...byRunner].map(([runner, list]) => this.#reports(runner, list)));
    const reports = new Map(asked.flatMap((answer) => [...answer]));
    const nowMs = this.#rig.ports.clock.now();
    for (const attempt of attempts) {
      const report = reports.get(attempt.id) ?? null;
      const seen = this.#judge(attempt, report, nowMs);
      if (seen.event !== null) events.push(seen.event);
      if (seen.againAtMs !== null) again.set(attemptEntity(attempt.id), seen.againAtMs);
    }
    for (const seen of await Promise.all(looked)) {
      if (seen.event !== null) events.push(seen.event);
      if (seen.againAtMs !== null) again.set(seen.ref, seen.againAtMs);
    }
    return { events, again };
  }

  /** One question per runner; one that does not answer has no reports, and its attempts have lost contact. */
  async #reports(runner: string, attempts: readonly AttemptFacts[]): Promise<ReadonlyMap<string, AgentReport>> {
    try {
      const items = await runnerAt(this.#rig, runner).report(attempts.map((attempt) => attempt.id));
      return new Map(items.map((item) => [item.attempt, item]));
    } catch {
      return new Map();
    }
  }

  #judge(
    attempt: AttemptFacts,
    report: AgentReport | null,
    nowMs: number,
  ): { readonly event: NewEvent | null; readonly againAtMs: number | null } {
    const lost = { event: this.#contactLost(attempt, nowMs), againAtMs: nowMs + OBSERVE_AGAIN_MS };
    if (report === null) return lost;
    const overdue = nowMs >= attempt.startedAtMs + START_DEADLINE_MS;
    switch (report.state) {
      case 'running': {
        if (attempt.runningAtMs !== null && attempt.contactLostAtMs === null)
          return { event: null, againAtMs: renewAt(nowMs, LEASE_MS) };
        return {
          event: startedEvent(attempt, report, this.#rig.view.config().name, nowMs),
          againAtMs: renewAt(nowMs, LEASE_MS),
        };
      }
      case 'exited':
        return {
          event:
            report.exit === null
              ? gone(attempt, 'the runner has no record of its end')
              : exitEvent(attempt, report.exit),
          againAtMs: null,
        };
      case 'accepted':
        return overdue ? lost : { event: null, againAtMs: nowMs + OBSERVE_AGAIN_MS };
      default: {
        const starting = attempt.endedAtMs === null && attempt.runningAtMs === null && !overdue;
        return starting
          ? { event: null, againAtMs: attempt.startedAtMs + START_DEADLINE_MS }
          : { event: gone(attempt, 'the runner does not know it'), againAtMs: null };
      }
    }
  }

  #contactLost(attempt: AttemptFacts, nowMs: number): NewEvent | null {
    if (attempt.contactLostAtMs !== null) return null;
    return own(`contact_lost:${attempt.id}:${String(nowMs)}`, {
      type: 'contact_lost',
      attempt: attempt.id,
      atMs: nowMs,
    });
  }
}

/** The attempt whose claim a job judges; null for all other git work. */
const attemptOf = (view: RigContext['view'], job: Job): AttemptFacts | null =>
  job.kind === 'verify' || job.kind === 'promote' ? view.attempt(trusted.attempt(job.key.split(':')[1] ?? '')) : null;

/** The key of the step that waits for a job of this kind now. */
function stepKeyOf(rig: RigContext, job: Job): string | null {
  if (job.kind === 'branch') return rig.view.feature(job.repo.targetBranch)?.stepKey ?? null;
  if (job.kind === 'revert') {
    const id = trusted.bead(job.bead);
    return rig.view.bead(id)?.status === 'open' ? (rig.view.revert(id)?.stepKey ?? null) : null;
  }
  return rig.view.review(trusted.bead(job.key.split(':')[1] ?? ''))?.stepKey ?? null;
}

const gone = (attempt: AttemptFacts, reason: string): NewEvent =>
  own(`gone:${attempt.id}`, { type: 'attempt_gone', attempt: attempt.id, reason });

function exitEvent(attempt: AttemptFacts, exit: NonNullable<AgentReport['exit']>): NewEvent {
  return {
    key: `observed_exit:${attempt.id}`,
    type: 'fact.agent_exited',
    subject: `attempt:${attempt.id}`,
    payload: { type: 'agent_exited', key: '', rig: '', exit },
  };
}

function startedEvent(attempt: AttemptFacts, report: AgentReport, rig: string, nowMs: number): NewEvent {
  return {
    key: `observed_running:${attempt.id}:${String(nowMs)}`,
    type: 'fact.agent_started',
    subject: `attempt:${attempt.id}`,
    payload: {
      type: 'agent_started',
      key: '',
      rig,
      attempt: attempt.id,
      epoch: attempt.epoch,
      instance: attempt.runnerId ?? 'unknown',
      pid: report.pid ?? 0,
      base: report.base ?? attempt.baseSha ?? '',
      atMs: nowMs,
    },
  };
}
