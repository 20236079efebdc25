import { statusOf, startDaemon, runnerStatus, stopDaemon } from '../../hosts/node/daemon-control.ts';
import type { RunnerStatus } from '../../hosts/node/daemon-control.ts';
import type { DaemonStatus } from '../../hosts/node/daemon-state.ts';
import type { StatusItem } from '../../api/contract/town.ts';
import { readDesired, writeDesired } from '../../hosts/node/town-files.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, state } from '../output.ts';
import type { Style } from '../output.ts';
import { TownClient } from '../town-client.ts';
import { mainPath } from './start.ts';

const MS_PER_SECOND = 1_000;

export const startCommand: CommandSpec = {
  usage: 'gt daemon start',
  summary: 'start the daemon in the background; a second one is refused',
  examples: ['gt daemon start', 'gt daemon start --json'],
  run: async (context) => {
    const town = context.town();
    const status = await startDaemon({ town, main: mainPath() });
    // A person asked for it: that is the newer wish.
    writeDesired(town.paths, 'up');
    if (context.json) context.print(JSON.stringify({ running: true, pid: status.pid, url: status.url }));
    else context.print(`${state(context.style, 'up')}  pid ${String(status.pid)}  ${status.url ?? ''}`);
    return EXIT.ok;
  },
};

export const stopCommand: CommandSpec = {
  usage: 'gt daemon stop [--now]',
  summary: 'stop the daemon; the runner and its agents go on',
  examples: ['gt daemon stop', 'gt daemon stop --now'],
  options: { now: { type: 'boolean', help: 'do not wait for the turn to end; nothing acknowledged is lost' } },
  run: async (context, args) => {
    const wasRunning = await stopDaemon(context.town(), args.flag('now'));
    if (context.json) context.print(JSON.stringify({ running: false, was_running: wasRunning }));
    else context.print(wasRunning ? 'Stopped the daemon; agents go on.' : 'No daemon was running.');
    return EXIT.ok;
  },
};

export const runCommand: CommandSpec = {
  usage: 'gt daemon run [--force]',
  summary: 'run the daemon in the foreground, for a service manager; stays down after "gt down"',
  examples: ['gt daemon run', 'gt daemon run --town ~/town'],
  options: { force: { type: 'boolean', help: 'run although the town was stopped by "gt down"' } },
  run: async (context, args) => {
    const town = context.town();
    const isBackground = context.env['GT_DAEMON_BACKGROUND'] === '1';
    if (readDesired(town.paths) === 'down' && !isBackground && !args.flag('force')) {
      context.hint('The town was stopped by "gt down" and stays down. Start it with "gt up".');
      return EXIT.ok;
    }
    const { runDaemon } = await import('../../hosts/node/run-daemon.ts');
    await runDaemon(
      town,
      isBackground
        ? undefined
        : (line) => {
            context.print(line);
          },
    );
    return EXIT.ok;
  },
};

export const reloadCommand: CommandSpec = {
  usage: 'gt daemon reload',
  summary: 'read gastown.toml again; one that is refused changes nothing',
  examples: ['gt daemon reload', 'gt daemon reload --json'],
  run: async (context) => {
    const town = context.town();
    const isReloading = statusOf(town).running;
    if (isReloading) await new TownClient(town).post('settings/reload', {});
    else await mustStartWith(town, context.env);
    if (context.json) context.print(JSON.stringify({ reloading: isReloading }));
    else
      context.print(
        isReloading ? 'The daemon has read its settings again.' : 'No daemon is running; its start reads them.',
      );
    return EXIT.ok;
  },
};

/** What the start of a daemon would refuse. */
async function mustStartWith(town: Town, env: NodeJS.ProcessEnv): Promise<void> {
  const { loadConfig } = await import('../../hosts/node/town-config.ts');
  const { mustTakeOf } = await import('../../hosts/node/must-take.ts');
  mustTakeOf(town.paths)(loadConfig(town.paths, env).rigs);
}

export const statusCommand: CommandSpec = {
  usage: 'gt daemon status',
  summary: 'is it running, since when, and what does it hold; exit 0 either way',
  examples: ['gt daemon status', 'gt daemon status --json'],
  run: async (context) => {
    const town = context.town();
    const status = statusOf(town);
    const runner = await runnerStatus(town);
    const stats = status.running ? await statsOf(town) : null;
    print(context, { town, status, runner, stats });
    return EXIT.ok;
  },
};

interface Stats {
  readonly rigs: number;
  readonly agents: number;
  readonly beads: number;
  readonly queue: number;
}

/** Null when the daemon does not answer at the moment. */
async function statsOf(town: Town): Promise<Stats | null> {
  try {
    const { rigs, working_agents: agents } = await new TownClient(town).get<StatusItem>('status');
    const beads = rigs.reduce((sum, rig) => sum + Object.values(rig.counts).reduce((all, one) => all + one, 0), 0);
    return { rigs: rigs.length, agents, beads, queue: rigs.reduce((sum, rig) => sum + rig.queue_length, 0) };
  } catch {
    return null;
  }
}

interface Whole {
  readonly town: Town;
  readonly status: DaemonStatus;
  readonly runner: RunnerStatus;
  readonly stats: Stats | null;
}

function print(context: Context, whole: Whole): void {
  if (context.json) context.print(JSON.stringify(wireOf(whole, context.style.nowMs)));
  else context.print(textOf(context.style, whole));
  if (!whole.status.running)
    context.hint(
      readDesired(whole.town.paths) === 'down'
        ? 'It was stopped by "gt down". Start it with "gt up".'
        : 'Start it with "gt up".',
    );
}

function wireOf({ status, runner, stats, town }: Whole, nowMs: number): unknown {
  const startedAt = status.running ? (status.state?.started_at ?? null) : null;
  return {
    running: status.running,
    pid: status.pid,
    url: status.url,
    desired: readDesired(town.paths),
    started_at: startedAt,
    uptime_seconds:
      startedAt === null ? null : Math.max(0, Math.floor((nowMs - Date.parse(startedAt)) / MS_PER_SECOND)),
    last_heartbeat: status.state?.last_heartbeat ?? null,
    heartbeat_count: status.state?.heartbeat_count ?? 0,
    stats,
    runner,
  };
}

function textOf(style: Style, { status, runner, stats }: Whole): string {
  const lines = [
    `daemon  ${state(style, status.running ? 'up' : 'down')}${status.pid === null ? '' : `  pid ${String(status.pid)}`}${status.url === null ? '' : `  ${status.url}`}`,
  ];
  if (status.running && status.state !== null) {
    const { started_at: started, heartbeat_count: beats, last_heartbeat: last } = status.state;
    lines.push(
      `        started ${started} (up ${ago(style, Date.parse(started))}), ${String(beats)} heartbeats, last ${last}`,
    );
  }
  if (stats !== null)
    lines.push(
      `        ${String(stats.rigs)} rigs, ${String(stats.agents)} agents working, ${String(stats.beads)} beads, ${String(stats.queue)} in the merge queue`,
    );
  lines.push(
    `runner  ${state(style, runner.running ? 'up' : 'down')}${runner.pid === null ? '' : `  pid ${String(runner.pid)}  ${String(runner.agents)} agents`}`,
  );
  return lines.join('\n');
}
