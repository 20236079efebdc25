import type { AgentReport, StartAgent, StopAgent } from '../../core/facts.ts';
import { START_DEADLINE_MS } from '../../core/limits.ts';
import { isolationOf, sandboxOf } from '../../core/model/isolation.ts';
import { mailDigest } from '../../core/mail-digest.ts';
import { mayorPrompt } from '../../core/mayor-prompt.ts';
import { MAYOR, MAYOR_SCOPE, type MayorAttempt, type MayorConfig } from '../../core/model/mayor.ts';
import { trusted } from '../../core/model/ids.ts';
import { MAYOR_VERBS } from '../../core/queries.ts';
import { attemptEntity, parseRef, type Ref } from '../../core/refs.ts';
import { isRemoved } from '../../core/rules/choose-runner.ts';
import { RunnerRefusal } from '../../ports/runner-client.ts';
import type { NewEvent, OutboxRow } from '../../store/kernel-store.ts';
import { parseJson } from '../../store/rows.ts';
import { readRunnerLoads } from '../../store/runner-store.ts';
import type { EffectOutcome, Observation } from '../kernel/program.ts';
import { runnerAt } from '../runner-at.ts';
import type { MayorContext } from './mayor-context.ts';
import { renewAt, type MayorOwnEvent } from './mayor-events.ts';

/** A capability outlives the wall clock by this much, so that a last reply is not refused for its clock. */
const CAPABILITY_GRACE_MS = 10 * 60_000;
/** A stop that was answered "stopping" is asked about again after this long. */
const STOP_POLL_MS = 500;
/** A process whose runner does not answer, or that is still being started, is asked about again after this long. */
const OBSERVE_AGAIN_MS = 10_000;

const DONE: EffectOutcome = { state: 'done' };

const own = (key: string, event: MayorOwnEvent): NewEvent => ({
  key,
  type: `own.${event.type}`,
  subject: `attempt:${event.attempt}`,
  payload: event,
});

/** Talks to the runner for the mayor, after the commit; every call reads its guard again first. */
export class MayorEffects {
  readonly #mayor: MayorContext;

  constructor(mayor: MayorContext) {
    this.#mayor = mayor;
  }

  perform(row: OutboxRow): Promise<EffectOutcome> {
    switch (row.kind) {
      case 'start':
        return this.#start(parseJson<{ attempt: string }>(row.payload).attempt);
      case 'stop':
        return this.#stop(parseJson<StopAgent>(row.payload));
      default:
        return Promise.resolve({ state: 'failed', error: `unknown effect ${row.kind}` });
    }
  }

  async #start(id: string): Promise<EffectOutcome> {
    const { ports, store, town } = this.#mayor;
    const attempt = store.attempt(id);
    const config = this.#mayor.config();
    if (attempt === null || attempt.endedAtMs !== null || attempt.processGone || attempt.runningAtMs !== null)
      return DONE;
    if (config === null) return DONE;
    const capability = await ports.mintCapability({
      role: 'mayor',
      town: town.id,
      attempt: attempt.id,
      epoch: attempt.epoch,
      sitting: attempt.sitting,
      verbs: MAYOR_VERBS,
      expiresAtMs: attempt.startedAtMs + config.wallClockMs + CAPABILITY_GRACE_MS,
    });
    try {
      await runnerAt(this.#mayor, attempt.runner).start(this.#request(attempt, config, capability));
      return DONE;
    } catch (error) {
      if (!(error instanceof RunnerRefusal)) throw error;
      if (error.code === 'busy' || error.code === 'draining') return { state: 'retry', error: error.message };
      const reason = `${error.code}: ${error.message}`;
      return { state: 'done', event: own(`start_refused:${id}`, { type: 'gone', attempt: id, reason }) };
    }
  }

  /** A session without a repository: a folder of its own, no branch, nothing to hand in. */
  #request(attempt: MayorAttempt, config: MayorConfig, capability: string): StartAgent {
    const prompt = this.prompt(attempt);
    return {
      attempt: attempt.id,
      epoch: attempt.epoch,
      agent: MAYOR,
      rig: MAYOR_SCOPE,
      bead: MAYOR_SCOPE,
      sourceBead: MAYOR_SCOPE,
      kind: 'task',
      round: attempt.sitting,
      runtime: config.runtime,
      model: config.model,
      title: `sitting ${String(attempt.sitting)}`,
      body: '',
      recipeBody: '',
      recipeAllowed: false,
      prompt,
      checkpoint: this.#mayor.store.checkpoint(),
      repo: null,
      fixedHead: null,
      restoreFrom: null,
      claimBase: null,
      branch: MAYOR_SCOPE,
      author: { name: MAYOR, email: config.ownerEmail },
      capability,
      env: config.command === null ? {} : { GT_COMMAND: config.command },
      startDeadlineMs: attempt.startedAtMs + START_DEADLINE_MS,
      startWithinMs: attempt.startedAtMs + START_DEADLINE_MS - this.#mayor.ports.clock.now(),
      wallClockMs: config.wallClockMs,
      ...(config.preset === undefined ? {} : { preset: config.preset }),
      ...(config.shield === undefined
        ? {}
        : { ...sandboxOf(config.shield, isolationOf(config.shield, config.runtime)), limits: config.shield.limits }),
    };
  }

  /** What the process of this attempt is told; the same for a repeat of the order. */
  prompt(attempt: MayorAttempt): string {
    const { store, town } = this.#mayor;
    const messages = store.messagesOf(attempt.sitting);
    return mayorPrompt({
      town: town.name,
      messages: messages.filter((message) => message.state === 'shown'),
      earlier: store.endedOf(attempt.sitting),
      checkpoint: store.checkpoint(),
      mail: mailDigest(store.mail.deliveredTo(MAYOR, attempt.id)),
    });
  }

  async #stop(request: StopAgent): Promise<EffectOutcome> {
    const attempt = this.#mayor.store.attempt(request.attempt);
    // Declared gone after a long silence is no proof: only an exit record makes the order needless.
    if (attempt === null || attempt.exit !== null || isRemoved(readRunnerLoads(this.#mayor.sql), attempt.runner))
      return DONE;
    const answer = await runnerAt(this.#mayor, attempt.runner).stop(request);
    if (answer.state === 'stopping')
      return { state: 'retry', error: 'stopping', atMs: this.#mayor.ports.clock.now() + STOP_POLL_MS };
    const event: MayorOwnEvent =
      answer.exit === null
        ? { type: 'gone', attempt: attempt.id, reason: 'stopped; it never ran' }
        : { type: 'exited', attempt: attempt.id, exit: answer.exit };
    return { state: 'done', event: own(`stopped:${attempt.id}`, event) };
  }

  /** Asks the runner about the mayor's process, when it has not been heard of for most of a lease. */
  async observe(entities: readonly Ref[]): Promise<Observation> {
    const events: NewEvent[] = [];
    const again = new Map<Ref, number>();
    for (const ref of entities) {
      const attempt = this.#mayor.store.attempt(trusted.attempt(parseRef(ref).id));
      if (attempt === null || attempt.processGone) continue;
      const report = await this.#report(attempt);
      const nowMs = this.#mayor.ports.clock.now();
      const event = judge(attempt, report, nowMs);
      if (event !== null) events.push(event);
      const isOver = event?.type === 'own.gone' || event?.type === 'own.exited';
      if (!isOver)
        again.set(attemptEntity(attempt.id), report?.state === 'running' ? renewAt(nowMs) : nowMs + OBSERVE_AGAIN_MS);
    }
    return { events, again };
  }

  /** Null: no answer. */
  async #report(attempt: MayorAttempt): Promise<AgentReport | null> {
    try {
      const [report] = await runnerAt(this.#mayor, attempt.runner).report([attempt.id]);
      return report ?? null;
    } catch {
      return null;
    }
  }
}

/** What an observation tells that is not known yet. */
function judge(attempt: MayorAttempt, report: AgentReport | null, nowMs: number): NewEvent | null {
  if (report === null) return contactLost(attempt, nowMs);
  switch (report.state) {
    case 'running':
      return attempt.runningAtMs !== null && attempt.contactLostAtMs === null
        ? null
        : own(`observed_running:${attempt.id}:${String(nowMs)}`, { type: 'running', attempt: attempt.id });
    case 'exited':
      return report.exit === null
        ? gone(attempt, 'the runner has no record of its end')
        : own(`observed_exit:${attempt.id}`, { type: 'exited', attempt: attempt.id, exit: report.exit });
    case 'accepted':
      return isOverdue(attempt, nowMs) ? contactLost(attempt, nowMs) : null;
    default:
      return mayStillCome(attempt, nowMs) ? null : gone(attempt, 'the runner does not know it');
  }
}

const isOverdue = (attempt: MayorAttempt, nowMs: number): boolean => nowMs >= attempt.startedAtMs + START_DEADLINE_MS;

/** The order may still be on its way, unless its deadline is over. */
const mayStillCome = (attempt: MayorAttempt, nowMs: number): boolean =>
  attempt.endedAtMs === null && attempt.runningAtMs === null && !isOverdue(attempt, nowMs);

const gone = (attempt: MayorAttempt, reason: string): NewEvent =>
  own(`gone:${attempt.id}`, { type: 'gone', attempt: attempt.id, reason });

const contactLost = (attempt: MayorAttempt, nowMs: number): NewEvent | null =>
  attempt.contactLostAtMs === null
    ? own(`contact_lost:${attempt.id}:${String(nowMs)}`, { type: 'contact_lost', attempt: attempt.id })
    : null;
