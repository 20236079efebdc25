import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseRigName } from '../../core/model/ids.ts';
import { checkMayor } from '../../core/mayor-invariants.ts';
import { readMayorFacts } from '../../store/mayor-facts.ts';
import { MAYOR_ADDRESS } from '../../core/model/mayor.ts';
import { checkRig } from '../../core/invariants.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Forge } from '../../ports/forge.ts';
import type { ActorAddress, HostPorts } from '../../ports/host.ts';
import type { Log } from '../../ports/log.ts';
import type { Notifier } from '../../ports/notifier.ts';
import type { RunnerClient } from '../../ports/runner-client.ts';
import type { Sql } from '../../ports/sql.ts';
import { readInvariantFacts } from '../../store/invariant-facts.ts';
import { TimerAlarm } from './alarm-timer.ts';
import { systemRandom } from './random.ts';
import { fileSnapshots } from './snapshots.ts';
import { SqliteSql } from './sql-sqlite.ts';
import type { TownPaths, TownSecrets } from './town-files.ts';

export interface NodePortsOptions {
  readonly paths: TownPaths;
  readonly secrets: TownSecrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly runner: RunnerClient;
  readonly runners?: HostPorts['runners'];
  readonly notifier?: Notifier | undefined;
  readonly forge?: Forge | undefined;
  readonly refusedSettings?: HostPorts['refusedSettings'];
  readonly runnerTrouble?: HostPorts['runnerTrouble'];
  /** `read-only`: without the right to write. `memory`: nothing on disk, for a town that never ran. */
  readonly storage: 'files' | 'read-only' | 'memory';
  /** Checks every invariant after every turn and logs what does not hold (`GT_CHECK=1`); for development and tests. */
  readonly checkInvariants: boolean;
  /** Called after each turn of an actor; must not throw. */
  readonly onTurn?: ((address: ActorAddress) => void) | undefined;
  /** How long a turn took, and how long its actor had waited for it, in milliseconds. */
  readonly turnTook?: ((tookMs: number, waitedMs: number) => void) | undefined;
}

/** The ports of this machine, and the way to give back what they hold. */
export interface NodePorts extends HostPorts {
  close(): void;
}

/** One SQLite file and one timer per actor. */
export function nodePorts(options: NodePortsOptions): NodePorts {
  const databases: SqliteSql[] = [];
  const alarms: TimerAlarm[] = [];
  return {
    clock: options.clock,
    random: systemRandom,
    log: options.log,
    runner: options.runner,
    runners: options.runners,
    notifier: options.notifier,
    forge: options.forge,
    refusedSettings: options.refusedSettings,
    runnerTrouble: options.runnerTrouble,
    openSql: (address) => {
      const sql = openDatabase(databasePath(options.paths, address), options.storage);
      databases.push(sql);
      return sql;
    },
    hasSql: (address) => options.storage !== 'read-only' || existsSync(databasePath(options.paths, address)),
    openAlarm: (_address, onAlarm) => {
      const alarm = new TimerAlarm(options.clock, onAlarm);
      alarms.push(alarm);
      return alarm;
    },
    ...(options.storage === 'files'
      ? { snapshots: fileSnapshots(options.paths, (actor) => databasePath(options.paths, actor)) }
      : {}),
    defer: (work) => {
      const wokenAtMs = performance.now();
      setImmediate(() => {
        const beganAtMs = performance.now();
        work();
        options.turnTook?.(performance.now() - beganAtMs, beganAtMs - wokenAtMs);
      });
    },
    after: (delayMs, work) => {
      const timer = setTimeout(work, delayMs);
      timer.unref();
      return () => {
        clearTimeout(timer);
      };
    },
    afterTurn: afterTurn(options),
    // Signing is needed by the first start of an agent, not by the start of the daemon.
    mintCapability: async (capability) =>
      (await import('../../api/capability.ts')).mintCapability(capability, options.secrets.capabilityKey),
    close: () => {
      for (const alarm of alarms.splice(0)) alarm.close();
      for (const database of databases.splice(0)) database.close();
    },
  };
}

function afterTurn({ onTurn, checkInvariants, clock, log }: NodePortsOptions): HostPorts['afterTurn'] {
  const check = checkInvariants ? invariantChecker(clock, log) : null;
  if (check === null && onTurn === undefined) return undefined;
  return (address, sql) => {
    onTurn?.(address);
    check?.(address, sql);
  };
}

function invariantChecker(clock: Clock, log: Log): (address: ActorAddress, sql: Sql) => void {
  return (address, sql) => {
    if (address === 'town') return;
    const violations =
      address === MAYOR_ADDRESS ? checkMayor(readMayorFacts(sql)) : checkRig(readInvariantFacts(sql), clock.now());
    for (const violation of violations) {
      log.error('invariant violated', { actor: address, invariant: violation.code, what: violation.text });
    }
  };
}

/** The database file of one actor. */
export function databasePath(paths: TownPaths, address: ActorAddress): string {
  if (address === 'town') return paths.townDb;
  if (address === MAYOR_ADDRESS) return paths.mayorDb;
  return join(paths.rigsDir, `${parseRigName(address.slice('rig/'.length))}.db`);
}

function openDatabase(path: string, storage: NodePortsOptions['storage']): SqliteSql {
  if (storage === 'memory') return SqliteSql.open(':memory:', { readOnly: false });
  if (storage === 'read-only') return SqliteSql.open(path, { readOnly: true });
  mkdirSync(dirname(path), { recursive: true });
  return SqliteSql.open(path, { readOnly: false });
}
