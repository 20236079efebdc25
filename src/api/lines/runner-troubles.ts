/** What a runner's answers show that only people can mend. */
import type { RunnerTrouble } from '../../core/model/runner.ts';
import { duration } from '../../core/text.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { RunnerGateway } from '../../ports/runner-gateway.ts';
import type { RunnerHealth } from '../contract/runner-health.ts';

/** A call takes up to 10 s, and machines that ask for the time differ by less than a second. */
const CLOCKS_APART_MS = 30_000;
const REASON_CHARS_MAX = 300;

type Said = Partial<Readonly<Record<RunnerTrouble, string>>>;

export function troublesOf(id: string, health: RunnerHealth, nowMs: number): Said {
  const apartMs = health.nowMs === null ? 0 : health.nowMs - nowMs;
  const refused = health.refusedFacts;
  return {
    ...(Math.abs(apartMs) <= CLOCKS_APART_MS
      ? {}
      : {
          clock: `The clock of the machine of runner "${id}" is ${duration(Math.abs(apartMs))} ${apartMs < 0 ? 'behind' : 'ahead of'} the town's. Pushes may come too late there, and what it reports has wrong times. Have both machines ask for the time (NTP).`,
        }),
    ...(refused === null
      ? {}
      : {
          facts: `The town refused ${String(refused.count)} reports of the runner "${id}", such as an agent's end or its cost: ${refused.reason.slice(0, REASON_CHARS_MAX)}. Run the same version of gt on both sides; the runner sends them again when it is started again.`,
        }),
  };
}

/** Tells changes of what is heard between two meetings; at each meeting all of it is told. */
export class RunnerTroubles {
  readonly #told = new Map<string, Said>();
  readonly #gateway: () => Pick<RunnerGateway, 'troubled'>;
  readonly #ports: { readonly clock: Clock; readonly log: Log };

  constructor(gateway: () => Pick<RunnerGateway, 'troubled'>, ports: { readonly clock: Clock; readonly log: Log }) {
    this.#gateway = gateway;
    this.#ports = ports;
  }

  /** What it says when it is met. */
  met(id: string, health: RunnerHealth): Said {
    const said = troublesOf(id, health, this.#ports.clock.now());
    this.#told.set(id, said);
    return said;
  }

  heard(id: string, health: RunnerHealth): void {
    const before = this.#told.get(id) ?? {};
    const said = this.met(id, health);
    for (const trouble of ['clock', 'facts'] as const) {
      if ((said[trouble] === undefined) === (before[trouble] === undefined)) continue;
      this.#gateway()
        .troubled(id, trouble, said[trouble] ?? null)
        .catch((error: unknown) => {
          this.#told.set(id, before);
          this.#ports.log.error('trouble of a runner is not told', { runner: id, cause: String(error) });
        });
    }
  }
}
