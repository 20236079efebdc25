import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { refuseStaleRig } from '../../core/etag.ts';
import type { AppOptions, createApp } from '../../api/app.ts';
import type { WireRunnerClient } from '../../api/lines/wire-runner-client.ts';
import { SignIn } from '../../api/sign-in.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import type { Clock } from '../../ports/clock.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { monotoneClock } from './clock.ts';
import { loadConfig } from './town-config.ts';
import type { TownConfig } from './town-config.ts';
import { databaseFault } from './database-fault.ts';
import { daemonStatus, keepPort, lastPort, readState, runsAlready, writeEndpoint, writeState } from './daemon-state.ts';
import { nodePorts } from './host-ports.ts';
import type { NodePorts } from './host-ports.ts';
import type { Listener } from './http-server.ts';
import { takeLock } from './lock.ts';
import { nodeForge } from './forge.ts';
import { NodeNotifier } from './notifier.ts';
import { mustNotBeHeld } from './held-town.ts';
import type { HeldLock } from './lock.ts';
import { LogFile } from './log-file.ts';
import { dropSection, type Checks } from './config-set.ts';
import { Figures } from './figures.ts';
import { fileDoor } from './file-door.ts';
import { changeRigSettings } from './rig-change.ts';
import { recordRig } from './rig-record.ts';
import { askRunner, runnerAway } from './runner-away.ts';
import type { RunnerLines } from './runner-lines.ts';
import { RunnerSupervisor } from './runner-supervisor.ts';
import { SettingsInForce } from './settings-in-force.ts';
import type { NodeStreams } from './streams.ts';
import type { Telemetry } from './telemetry/exporter.ts';
import { traceTarget } from './telemetry/target.ts';
import { webFile } from './web-files.ts';
import type { ServiceFactory, TownRuntime } from './service.ts';
import { brainSocket, ensureSocketDir, readSecrets } from './town-files.ts';
import type { Town, TownSecrets } from './town-files.ts';

export interface DaemonOptions {
  readonly town: Town;
  readonly makeService: ServiceFactory;
  /** Repeats log lines, for a daemon in the foreground. */
  readonly echo?: ((line: string) => void) | undefined;
  /** False in tests that need no agents. */
  readonly superviseRunner: boolean;
}

/** The process that hosts the actors of one town. It schedules nothing itself: what is due, the actors know. */
export class Daemon {
  readonly #town: Town;
  readonly #lock: HeldLock;
  readonly #log: LogFile;
  readonly #ports: NodePorts;
  readonly #service: TownRuntime;
  readonly #supervisor: RunnerSupervisor;
  /** Null until the actors run: nobody has a line at a start. */
  #lines: RunnerLines | null = null;
  /** Null until somebody can ask. */
  #streams: NodeStreams | null = null;
  /** The town's HTTP application, as runners' and agents' calls reach it. */
  #local: ReturnType<typeof createApp> | null = null;
  readonly #notifier: NodeNotifier;
  readonly #signIn: SignIn = new SignIn(() => this.#ports.clock.now());
  readonly #startedAt = new Date().toISOString();
  readonly #figures = new Figures();
  /** Null: traces go nowhere. */
  #telemetry: Telemetry | null = null;
  #config: TownConfig;
  #listeners: readonly Listener[] = [];
  #heartbeat: NodeJS.Timeout | null = null;
  #heartbeats = 0;
  #ready = false;
  #rigAdds: Promise<unknown> = Promise.resolve();
  readonly #settings: SettingsInForce;
  readonly #checks: Checks = { env: process.env, mustTake: (rigs) => this.#service.mustTake(rigs) };

  private constructor(
    options: DaemonOptions,
    held: { readonly lock: HeldLock; readonly config: TownConfig; readonly secrets: TownSecrets },
  ) {
    const { town } = options;
    this.#town = town;
    this.#lock = held.lock;
    this.#config = held.config;
    this.#log = new LogFile({ path: held.config.logFile, echo: options.echo });
    const clock = monotoneClock();
    this.#settings = new SettingsInForce({
      apply: () => this.#oneByOne(() => this.#applySettings()),
      log: this.#log,
      now: () => clock.now(),
    });
    this.#supervisor = new RunnerSupervisor({
      town,
      secrets: held.secrets,
      log: this.#log,
      onInstance: (instance) => {
        if (instance === null) return;
        this.#service.runnerChanged(instance).catch((error: unknown) => {
          this.#log.error('new runner not taken up', {
            instance,
            cause: error instanceof Error ? error.message : String(error),
          });
        });
      },
    });
    this.#notifier = new NodeNotifier({
      town: held.config.name,
      config: held.config.escalation,
      env: process.env,
    });
    this.#ports = nodePorts({
      paths: town.paths,
      secrets: held.secrets,
      clock,
      log: this.#log,
      runner: this.#supervisor.client,
      runners: {
        client: (id) => this.#lines?.client(id) ?? null,
        changed: (id) => this.#lines?.changed(id),
      },
      notifier: this.#notifier,
      forge: nodeForge(process.env, () => clock.now()),
      refusedSettings: () => this.#settings.refused(),
      runnerTrouble: () => this.#supervisor.trouble(),
      storage: 'files',
      checkInvariants: process.env['GT_CHECK'] === '1',
      onTurn: (address) => {
        this.#figures.turned();
        this.#streams?.changed(address);
        this.#telemetry?.changed();
      },
      turnTook: this.#figures.turnTook,
    });
    this.#service = options.makeService({
      id: town.identity.id,
      name: held.config.name,
      ports: this.#ports,
      readOnly: false,
    });
  }

  /** Takes the lock, opens the actors and serves. Errors: `daemon_running`, `database_damaged`, `database_newer`, those of the configuration. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const { paths, identity } = options.town;
    mkdirSync(paths.daemonDir, { recursive: true });
    mustNotBeHeld(paths);
    const config = loadConfig(paths, process.env);
    const secrets = readSecrets(paths);
    ensureSocketDir(identity);
    const lock = takeLock(paths.lockFile);
    if (lock === null) throw runsAlready(daemonStatus(paths, config.pidFile));
    let daemon: Daemon;
    try {
      daemon = new Daemon(options, { lock, config, secrets });
    } catch (error) {
      lock.release();
      throw databaseFault(paths, error);
    }
    try {
      await daemon.#open(options, secrets);
    } catch (error) {
      await daemon.stop('start failed');
      throw databaseFault(paths, error);
    }
    return daemon;
  }

  async #open(options: DaemonOptions, secrets: TownSecrets): Promise<void> {
    const { paths, identity } = this.#town;
    const before = readState(paths);
    if (before?.running === true)
      this.#log.warn('the last daemon ended uncleanly; going on from its databases', { pid: before.pid });
    await this.#service.start(this.#config.rigs, this.#config.budgets);
    await this.#service.configureMayor(this.#config.mayor);
    this.#log.info('actors run', { rigs: this.#config.rigs.length });
    // What waited goes on now; who asks can wait for the moment that the HTTP application takes to load. The file is for
    // people: the lock decides who runs.
    writeFileAtomic(this.#config.pidFile, `${String(process.pid)}\n`);
    const { createApp } = await import('../../api/app.ts');
    const { listenOnLoopback, listenOnSocket } = await import('./http-server.ts');
    const { NodeStreams } = await import('./streams.ts');
    this.#streams = new NodeStreams({ source: this.#service.stream, log: this.#log });
    await this.#startTelemetry();
    const app = (loopbackOnly: boolean): ReturnType<typeof createApp> =>
      createApp(this.#appOptions(secrets, this.#ports.clock, loopbackOnly));
    const local = app(false);
    this.#local = local;
    const web = app(true);
    this.#listeners = [
      await listenOnSocket((request, env) => local.fetch(request, env), brainSocket(identity)),
      await listenOnLoopback((request, env) => web.fetch(request, env), lastPort(paths)),
    ];
    await this.#openLines(secrets);
    const url = this.#listeners[1]?.url ?? null;
    if (url !== null) {
      writeEndpoint(paths, url);
      keepPort(paths, url);
    }
    if (options.superviseRunner) this.#supervisor.start();
    this.#beat();
    this.#armHeartbeat();
    this.#ready = true;
    this.#log.info('daemon is up', { pid: process.pid, url, rigs: this.#config.rigs.length });
  }

  /** Off unless somebody said where traces go; nothing of it is loaded then. */
  async #startTelemetry(): Promise<void> {
    const target = traceTarget(this.#config.otlpUrl, process.env, (name) => {
      this.#log.warn(`${name} is no http or https address, and traces do not go there`);
    });
    if (target === null) return;
    const { Telemetry } = await import('./telemetry/exporter.ts');
    this.#telemetry = await Telemetry.start({
      town: { id: this.#town.identity.id, name: this.#config.name },
      source: this.#service.stream,
      getBead: (id) => this.#service.getBead(id),
      target,
      cursorFile: join(this.#town.paths.daemonDir, 'telemetry-cursor'),
      log: this.#log,
    });
  }

  /** Runners on this machine dial the loopback port, those elsewhere the address of `runner_listen`, if there is one. */
  async #openLines(secrets: TownSecrets): Promise<void> {
    const { RunnerLines } = await import('./runner-lines.ts');
    const lines = new RunnerLines({
      town: this.#town.identity.id,
      key: secrets.capabilityKey,
      gateway: () => this.#service.runners,
      fetch: (request) => this.#local?.fetch(request) ?? new Response(null, { status: 503 }),
      log: this.#log,
      clock: this.#ports.clock,
    });
    this.#lines = lines;
    const loopback = this.#listeners[1];
    if (loopback !== undefined) lines.attach(loopback.server);
    const at = this.#config.runnerListen;
    if (at !== null) {
      const { listenForRunners } = await import('./http-server.ts');
      const listener = await listenForRunners(
        (request) => this.#local?.fetch(request) ?? new Response(null, { status: 503 }),
        at,
      );
      this.#listeners = [...this.#listeners, listener];
      lines.attach(listener.server);
      this.#log.info('runners may dial', { url: listener.url });
    }
    await lines.start();
  }

  /** SIGHUP. A configuration with an error changes nothing, is logged, and is told to whoever asks. */
  async reload(): Promise<void> {
    await this.#settings.apply().catch(() => undefined);
  }

  async #applySettings(): Promise<void> {
    const config = loadConfig(this.#town.paths, process.env);
    this.#service.mustTake(config.rigs);
    this.#config = config;
    this.#notifier.configure(config.escalation);
    await this.#service.configure(config.rigs, config.budgets);
    await this.#service.configureMayor(config.mayor);
    this.#armHeartbeat();
    this.#log.info('configuration reloaded', { rigs: config.rigs.length });
  }

  /** Takes no more work, finishes the turn, closes. The runner and its agents go on. */
  async stop(why: string): Promise<void> {
    this.#ready = false;
    this.#log.info('daemon stops', { why });
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    await this.#supervisor.stop();
    this.#lines?.stop();
    this.#streams?.stop();
    await this.#telemetry?.stop();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#service.stop();
    this.#supervisor.client.close();
    this.#ports.close();
    this.#writeState(false);
    for (const path of [this.#config.pidFile, this.#town.paths.endpointFile, brainSocket(this.#town.identity)])
      rmSync(path, { force: true });
    this.#log.info('daemon is down', { heartbeats: this.#heartbeats });
    this.#log.close();
    this.#lock.release();
  }

  #appOptions(secrets: TownSecrets, clock: Clock, loopbackOnly: boolean): AppOptions {
    return {
      gateway: this.#service,
      auth: {
        owner: secrets.owner,
        brainCalls: secrets.brainCalls,
        capabilityKey: secrets.capabilityKey,
        ownerActor: 'human/owner',
      },
      clock,
      log: this.#log,
      loopbackOnly,
      streams: this.#streams ?? undefined,
      turns: () => this.#figures.turns,
      web: { signIn: this.#signIn, file: webFile, figures: () => this.#figures.now(this.#streams, this.#telemetry) },
      ready: () => this.#ready,
      addRig: (body, caller) =>
        this.#oneByOne(
          async () =>
            (await recordRig(body, this.#town.paths, (config) => this.#service.addRig(config, caller))).answer,
        ),
      changeRig: (name, settings, caller) =>
        this.#oneByOne(async () => {
          refuseStaleRig(caller, await this.#service.listRigs(), name);
          return this.#service.addRig(changeRigSettings(this.#town.paths, name, settings, this.#checks), caller);
        }),
      removeRig: (name, drain, caller) =>
        this.#oneByOne(async () => {
          const { paths } = this.#town;
          refuseStaleRig(caller, await this.#service.listRigs(), name);
          const known = loadConfig(paths, process.env).rigs.some((rig) => rig.name === name);
          if (drain === true && known)
            await this.#service.addRig(changeRigSettings(paths, name, { parked: true }, this.#checks), caller);
          const answer = await this.#service.removeRig(name, drain, caller);
          if (answer.status === 'removed') dropSection(paths, ['rigs', name], process.env);
          return answer;
        }),
      transcript: async (attempt, from, waitMs) => {
        const id = await this.#service.runners.ofAttempt(attempt);
        return askRunner(id, () => this.#wire(id).transcript(attempt, from, waitMs));
      },
      diff: async (runner, request) => this.#wire(runner).diff(request),
      runnerLine: {
        drain: (id, on, graceMs) => this.#drain(id, on, graceMs),
        unmet: (id) => this.#lines?.unmet(id) ?? null,
      },
      settings: fileDoor({
        paths: this.#town.paths,
        checks: this.#checks,
        apply: () => this.#settings.apply(),
      }),
    };
  }

  /** Errors: `runner_away`. */
  #wire(id: string): WireRunnerClient {
    const wire = id === LOCAL_RUNNER ? this.#supervisor.client : (this.#lines?.wire(id) ?? null);
    if (wire !== null) return wire;
    throw runnerAway(id);
  }

  /** A runner that does not answer now is told when it is met again: the registry says what people want. */
  async #drain(id: string, on: boolean, graceMs: number | null): Promise<void> {
    try {
      await this.#wire(id).drain(on, graceMs);
    } catch (error) {
      this.#log.warn('runner not told to drain', { runner: id, cause: error instanceof Error ? error.message : '' });
    }
  }

  /** Two rigs added at once would each write the file without the other. */
  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#rigAdds.then(work, work);
    this.#rigAdds = result.catch(() => undefined);
    return result;
  }

  #armHeartbeat(): void {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => {
      this.#beat();
    }, this.#config.heartbeatIntervalMs);
    this.#heartbeat.unref();
  }

  /** Writes the state and sets lost alarms again; runs no SQL, so that an idle town stays idle. */
  #beat(): void {
    this.#heartbeats += 1;
    this.#service.rearm();
    this.#writeState(true);
  }

  #writeState(running: boolean): void {
    try {
      writeState(this.#town.paths, {
        running,
        pid: process.pid,
        started_at: this.#startedAt,
        last_heartbeat: new Date().toISOString(),
        heartbeat_count: this.#heartbeats,
      });
    } catch (error) {
      this.#log.error('state.json not written', { cause: error instanceof Error ? error.message : String(error) });
    }
  }
}
