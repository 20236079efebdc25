import type { TownFact } from '../../core/actions.ts';
import { WATCHDOG_ANSWER_MS, WATCHDOG_INTERVAL_MS } from '../../core/limits.ts';
import { RUNNER_SUBJECT, rigSubject, type RigHealth, type Seen } from '../../core/model/health.ts';
import { WATCHDOG } from '../../core/refs.ts';
import { judgeHealth } from '../../core/rules/watchdog.ts';
import { duration } from '../../core/text.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { HealthStore } from '../../store/health-store.ts';
import type { Observation } from '../kernel/program.ts';
import type { Turn } from '../kernel/turn.ts';

/** Asks one rig about itself; throws when it can't answer. */
export type AskRig = (rig: string) => Promise<RigHealth>;

/** What the watchdog needs of the town actor. */
export interface WatchdogTown {
  readonly sql: Sql;
  readonly ports: Pick<HostPorts, 'clock' | 'after' | 'runner' | 'runners'>;
  /** Names of the runners on other machines. */
  remoteRunners(): readonly string[];
  /** One of them is down. */
  runnerDown(turn: Turn, id: string, reason: string): void;
  /** It was down and answers again. */
  runnerBack(turn: Turn, id: string): void;
  raise(
    turn: Turn,
    raise: {
      readonly rig: string;
      readonly causeKey: string;
      readonly severity: 'high';
      readonly category: string;
      readonly subject: string;
      readonly message: string;
    },
  ): void;
  resolve(turn: Turn, causeKey: string): void;
}

const runnerOfSubject = (subject: string): string | null =>
  subject.startsWith(`${RUNNER_SUBJECT}:`) ? nameOf(subject) : null;
const nameOf = (subject: string): string => subject.slice(subject.indexOf(':') + 1);

/**
 * Asks rigs and the runner whether they are well, every few minutes, while any rig has live work. Nothing is asked and
 * no timer is set in an idle town.
 */
export class Watchdog {
  readonly #town: WatchdogTown;
  readonly #ask: AskRig;
  readonly store: HealthStore;

  constructor(town: WatchdogTown, ask: AskRig) {
    this.#town = town;
    this.#ask = ask;
    this.store = new HealthStore(town.sql);
  }

  /** A rig's live work began or ended. It speaks, so it is not down. */
  activity(turn: Turn, rig: string, live: boolean): void {
    const subject = rigSubject(rig);
    this.store.setLive(subject, live);
    this.#recovered(turn, subject, 'it reported its activity');
    this.#arm(turn);
  }

  /** A runner answers now, whoever noticed it. */
  runnerAnswered(turn: Turn, subject: string = RUNNER_SUBJECT): void {
    this.#recovered(turn, subject, 'a runner answers');
  }

  /** Nobody asks about it any more. */
  forget(turn: Turn, subject: string): void {
    this.store.remove(subject);
    this.#town.resolve(turn, `health:${subject}`);
  }

  #recovered(turn: Turn, subject: string, detail: string): void {
    const before = this.store.get(subject);
    if (before.state === 'suspect' || before.state === 'down')
      this.#apply(turn, { subject, ok: true, detail, lagMs: 0 });
  }

  #arm(turn: Turn): void {
    const armed = turn.kernel.timer(WATCHDOG, 'observe') !== null;
    const wanted = this.store.live().length > 0;
    if (wanted && !armed) turn.kernel.setTimer(WATCHDOG, 'observe', turn.nowMs + WATCHDOG_INTERVAL_MS);
    else if (!wanted && armed) turn.kernel.setTimer(WATCHDOG, 'observe', null);
  }

  /** Outside of any turn: one question each, all at once. */
  async observe(): Promise<Observation> {
    const live = this.store.live();
    const atMs = this.#town.ports.clock.now();
    const runner = live.length > 0 ? this.#runner() : null;
    const seen = await Promise.all([
      ...live.map((subject) => this.#rig(subject)),
      ...(runner === null ? [] : [runner]),
      ...(live.length > 0 ? this.#town.remoteRunners().map((id) => this.#remote(id)) : []),
    ]);
    const payload: TownFact = { type: 'watchdog_seen', seen };
    const key = `watchdog:${String(atMs)}`;
    return { events: [{ key, type: payload.type, subject: WATCHDOG, payload }], again: new Map() };
  }

  #rig(subject: string): Promise<Seen> {
    return this.#within(subject, async () => {
      const health = await this.#ask(nameOf(subject));
      return { detail: rigSentence(health, this.#town.ports.clock.now()), lagMs: health.lagMs };
    });
  }

  #remote(id: string): Promise<Seen> {
    return this.#within(`${RUNNER_SUBJECT}:${id}`, async () => {
      const client = this.#town.ports.runners?.client(id) ?? null;
      if (client?.health === undefined) throw new Error('it has no line to the town');
      return { detail: `instance ${(await client.health()).instance}`, lagMs: 0 };
    });
  }

  #runner(): Promise<Seen> | null {
    const { runner } = this.#town.ports;
    if (runner.health === undefined) return null;
    const ask = runner.health.bind(runner);
    return this.#within(RUNNER_SUBJECT, async () => ({ detail: `instance ${(await ask()).instance}`, lagMs: 0 }));
  }

  /** An answer that does not come in time is none. */
  #within(subject: string, ask: () => Promise<{ readonly detail: string; readonly lagMs: number }>): Promise<Seen> {
    return new Promise((resolve) => {
      const cancel = this.#town.ports.after(WATCHDOG_ANSWER_MS, () => {
        resolve({ subject, ok: false, detail: `no answer within ${duration(WATCHDOG_ANSWER_MS)}` });
      });
      ask().then(
        (answer) => {
          cancel();
          resolve({ subject, ok: true, ...answer });
        },
        (error: unknown) => {
          cancel();
          resolve({ subject, ok: false, detail: error instanceof Error ? error.message : String(error) });
        },
      );
    });
  }

  seen(turn: Turn, seen: readonly Seen[]): void {
    for (const one of seen) this.#apply(turn, one);
    this.#arm(turn);
  }

  #apply(turn: Turn, seen: Seen): void {
    const before = this.store.get(seen.subject);
    const { after, news } = judgeHealth(before, seen, turn.nowMs);
    this.store.put(after);
    if (after.state !== before.state)
      turn.journal({
        entity: `health:${after.subject}`,
        action: 'watchdog',
        rule: 'watchdog',
        reason: seen.detail,
        from: before.state,
        to: after.state,
      });
    const remote = runnerOfSubject(after.subject);
    if (remote !== null && after.state === 'down') this.#town.runnerDown(turn, remote, seen.detail);
    // Its line held all the time, so that nobody meets it anew: what it missed was the answer.
    if (remote !== null && before.state === 'down' && after.state === 'ok') this.#town.runnerBack(turn, remote);
    for (const item of news) {
      if (item.type === 'resolve') this.#town.resolve(turn, item.causeKey);
      else
        this.#town.raise(turn, {
          rig: after.subject === RUNNER_SUBJECT || remote !== null ? '' : nameOf(after.subject),
          causeKey: item.causeKey,
          severity: 'high',
          category: 'watchdog',
          subject: after.subject,
          message: item.message,
        });
    }
  }
}

function rigSentence(health: RigHealth, nowMs: number): string {
  const last = health.lastTickAtMs === null ? 'never' : `${duration(nowMs - health.lastTickAtMs)} ago`;
  const aside = health.quarantined === 0 ? '' : `, ${String(health.quarantined)} set aside`;
  return `last change ${last}, ${String(health.backlog)} waiting${aside}, ${duration(health.lagMs)} late`;
}
