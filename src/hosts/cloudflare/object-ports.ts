import { mintCapability } from '../../api/capability.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Random } from '../../ports/ids.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import type { RunnerClient } from '../../ports/runner-client.ts';
import type { Sql } from '../../ports/sql.ts';
import type { DurableStorage } from './durable.ts';
import { StorageAlarm } from './storage-alarm.ts';

/** The runtime's random source. */
const systemRandom: Random = { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) };

/** Wall time that never goes back within the life of an object, nor behind what it recorded. */
export function objectClock(read: () => number = Date.now): Required<Clock> {
  let lastMs = 0;
  return {
    now: () => (lastMs = Math.max(lastMs, Math.floor(read()))),
    raise: (atMs) => {
      lastMs = Math.max(lastMs, atMs);
    },
  };
}

const write =
  (level: 'log' | 'warn' | 'error') =>
  (text: string, fields: LogFields = {}): void => {
    console[level](JSON.stringify({ level: level === 'log' ? 'info' : level, text, ...fields }));
  };

/** One JSON line per entry, which the platform's log takes apart. */
export const consoleLog: Log = { info: write('log'), warn: write('warn'), error: write('error') };

const NO_RUNNER = 'this host has no runner of its own';
const refuse = (): Promise<never> => Promise.reject(new Error(NO_RUNNER));

/** Here is no runner beside the town: every call to one has no answer. */
const noRunner: RunnerClient = {
  instance: () => null,
  health: refuse,
  start: refuse,
  report: refuse,
  stop: refuse,
  job: refuse,
};

/** The ports of one object, and the alarm that its handler rings. */
export interface ObjectPorts {
  readonly ports: HostPorts;
  readonly alarm: () => StorageAlarm;
}

/** Everything one actor may touch, made of the object that it lives in. */
export function objectPorts(options: {
  readonly storage: DurableStorage;
  readonly sql: Sql;
  readonly capabilityKey: string;
  /** What a deployment, or a test, has instead. */
  readonly instead: Partial<HostPorts>;
  /** The alarm rang for what is not the actor's. */
  readonly onAlso: () => void;
}): ObjectPorts {
  const clock = options.instead.clock ?? objectClock();
  let alarm: StorageAlarm | null = null;
  const ports: HostPorts = {
    random: systemRandom,
    takesNoSnapshots: true,
    log: consoleLog,
    runner: noRunner,
    hasLocalRunner: false,
    openSql: () => options.sql,
    openAlarm: (_address, onAlarm) =>
      (alarm = new StorageAlarm({
        storage: options.storage,
        clock,
        log: options.instead.log ?? consoleLog,
        onAlarm,
        onAlso: options.onAlso,
      })),
    defer: (work) => {
      setTimeout(work, 0);
    },
    after: (delayMs, work) => {
      const timer = setTimeout(work, delayMs);
      return () => {
        clearTimeout(timer);
      };
    },
    mintCapability: (capability) => mintCapability(capability, options.capabilityKey),
    ...options.instead,
    clock,
  };
  return {
    ports,
    alarm: () => {
      if (alarm === null) throw new Error('the actor opened no alarm of its object');
      return alarm;
    },
  };
}
