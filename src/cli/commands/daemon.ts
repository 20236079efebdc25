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
import { TownClient } from '../town-client.ts';
import { mainPath } from './start.ts';

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
    await runDaemon(town, isBackground ? undefined : context.print);
    return EXIT.ok;
  },
};

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
  const { status, runner, stats, town } = whole;
  const started = status.state?.started_at ?? null;
  const startedMs = started === null ? null : Date.parse(started);
  if (context.json) {
    context.print(
      JSON.stringify({
        running: status.running,
        pid: status.pid,
        url: status.url,
        desired: readDesired(town.paths),
        started_at: status.running ? started : null,
        uptime_seconds: status.running && startedMs !== null ? Math.max(0, Math.floor((context.style.nowMs - startedMs) / 1_000)) : null,
        last_heartbeat: status.state?.last_heartbeat ?? null,
        heartbeat_count: status.state?.heartbeat_count ?? 0,
        stats,
        runner,
      }),
    );
    return;
  }
  const { style } = context;
  const lines = [`daemon  ${state(style, status.running ? 'up' : 'down')}${status.pid === null ? '' : `  pid ${String(status.pid)}`}${status.url === null ? '' : `  ${status.url}`}`];
  if (status.running && startedMs !== null) lines.push(`        started ${started ?? ''} (up ${ago(style, startedMs)}), ${String(status.state?.heartbeat_count ?? 0)} heartbeats, last ${status.state?.last_heartbeat ?? '-'}`);
  if (stats !== null) lines.push(`        ${String(stats.rigs)} rigs, ${String(stats.agents)} agents working, ${String(stats.beads)} beads, ${String(stats.queue)} in the merge queue`);
  lines.push(`runner  ${state(style, runner.running ? 'up' : 'down')}${runner.pid === null ? '' : `  pid ${String(runner.pid)}  ${String(runner.agents)} agents`}`);
  context.print(lines.join('\n'));
  if (!status.running) context.hint(readDesired(town.paths) === 'down' ? 'It was stopped by "gt down". Start it with "gt up".' : 'Start it with "gt up".');
}
