import { MayorActor } from '../../actors/mayor/mayor-actor.ts';
import { named } from '../../actors/kernel/named.ts';
import { RigActor } from '../../actors/rig/rig-actor.ts';
import { TownService } from '../../actors/town-service.ts';
import type { Fact } from '../../core/facts.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Migration } from '../../store/migrate.ts';
import { MAYOR_MIGRATIONS } from '../../store/migrations/mayor.ts';
import { RIG_MIGRATIONS } from '../../store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../store/migrations/town.ts';
import { refuseStaleRig } from '../../core/etag.ts';
import { parseSettings, type Settings } from '../../settings/settings.ts';
import { TownFile, type FileStore } from '../../settings/town-file.ts';
import type { Hosted } from './actor-object.ts';
import { CalledObject } from './called-object.ts';
import { CalledRunners } from './called-runners.ts';
import type { DurableSocket } from './durable.ts';
import { secretsOf, stubOf } from './env.ts';
import { ObjectActors } from './object-actors.ts';
import { objectForge } from './object-forge.ts';
import { notHere, ObjectNotifier } from './object-notifier.ts';
import { sectionOf } from './rig-settings.ts';
import { RigCalls } from './rig-calls.ts';
import { ObjectLines } from './runner-lines.ts';
import { settingsStore } from './settings-store.ts';
import { TownCalls } from './town-calls.ts';
import { townApp, type App, type TownTarget } from './town-app.ts';
import { runnersOfTown } from './town-runner.ts';

/** WebSocket's code for a service that is away for now. */
const TRY_LATER = 1013;

/** One rig. */
export class RigDO extends RigCalls {
  protected override migrations(): readonly Migration[] {
    return RIG_MIGRATIONS;
  }

  protected override instead(): Partial<HostPorts> {
    return { forge: objectForge(secretsOf(this.env)) };
  }

  protected override make(): Hosted {
    const runners = runnersOfTown((path, args) => stubOf(this.env, 'town').call(path, args), this.host.ports);
    const rig = named(
      new RigActor({
        address: this.name().slice(this.env.GT_TOWN_ID.length + 1),
        town: this.env.GT_TOWN_ID,
        ports: { ...this.host.ports, runners },
        sql: this.host.ports.openSql(''),
        createdAtMs: this.createdAtMs(),
        deliver: this.deliver,
      }),
    );
    return { actor: rig.actor, target: rig };
  }
}

/** The mayor of a town. */
export class MayorDO extends CalledObject {
  protected override migrations(): readonly Migration[] {
    return MAYOR_MIGRATIONS;
  }

  protected override make(): Hosted {
    const { GT_TOWN_ID: id, GT_TOWN_NAME: name } = this.env;
    const runners = runnersOfTown((path, args) => stubOf(this.env, 'town').call(path, args), this.host.ports);
    const ports = { ...this.host.ports, runners };
    const mayor = named(new MayorActor({ ports, sql: ports.openSql(''), town: { id, name }, deliver: this.deliver }));
    return { actor: mayor.actor, target: mayor };
  }
}

/** A town's object: beside its actor, the lines to its runners. */
interface HostedTown extends Hosted {
  readonly lines: ObjectLines;
}

/** A town: its own actor, the service that speaks for all of them, and where its runners' lines end. */
export class TownDO extends TownCalls<HostedTown> {
  protected override file(): FileStore {
    return settingsStore(this.ctx.storage.kv, this.env.GT_TOWN_NAME);
  }

  protected override migrations(): readonly Migration[] {
    return TOWN_MIGRATIONS;
  }

  protected override instead(): Partial<HostPorts> {
    const store = this.file();
    const settings = (): Settings => parseSettings(store.read(), 'gastown.toml', {});
    return { notifier: new ObjectNotifier({ town: this.env.GT_TOWN_NAME, settings, secret: secretsOf(this.env) }) };
  }

  protected override make(): HostedTown {
    const { GT_TOWN_ID: id, GT_TOWN_NAME: name, GT_CAPABILITY_KEY: key } = this.env;
    // Both speak of the gateway only when they are asked.
    const town = { town: id, key, gateway: () => gateway.runners };
    const { clock, log } = this.host.ports;
    const called = new CalledRunners({ ...town, clock, log, wakeAt: (atMs) => this.host.alarm().also(atMs) });
    const lines = new ObjectLines({
      ...town,
      sockets: this.ctx,
      ports: this.host.ports,
      called,
      fetch: (request) => (app ??= townApp(this.env, target)).fetch(request),
    });
    const ports: HostPorts = {
      ...this.host.ports,
      runners: {
        client: (runner) => lines.client(runner),
        changed: (runner) => {
          lines.changed(runner);
        },
      },
    };
    const actors = new ObjectActors({
      ports,
      sql: ports.openSql(''),
      kv: this.ctx.storage.kv,
      askOf: (address) => (path, args) => stubOf(this.env, address).call(path, args),
      deliver: this.deliver,
    });
    const gateway = new TownService({ id, name, ports, actors });
    const file = new TownFile({ store: this.file(), town: gateway, env: {}, refuses: notHere });
    const target = townTarget({ gateway, actors, lines, file });
    let app: App | null = null;
    const resumed = async (facts: readonly Fact[]): Promise<void> => {
      await file.apply();
      await gateway.runners.away(LOCAL_RUNNER, 'down', 'the town was moved away from its machine');
      await gateway.recordFacts(facts);
    };
    return { actor: actors.town.actor, target, lines, opened: () => lines.opened(), resumed };
  }

  /** Calls runners that listen and did not answer. */
  protected override woken(): void {
    void this.#lines().then((lines) => lines?.look());
  }

  /** A runner's request to connect, from the Worker. */
  async fetch(request: Request): Promise<Response> {
    return (await this.#lines())?.connect(request) ?? new Response(null, { status: 503 });
  }

  async webSocketMessage(socket: DurableSocket, data: string | ArrayBuffer): Promise<void> {
    const lines = await this.#lines();
    if (lines === null) socket.close(TRY_LATER, 'the town is not here now');
    else await lines.message(socket, data);
  }

  async webSocketClose(socket: DurableSocket): Promise<void> {
    (await this.#lines())?.closed(socket);
  }

  async webSocketError(socket: DurableSocket): Promise<void> {
    (await this.#lines())?.closed(socket);
  }

  /** Null while the town is not here: it was moved away, or its storage can't be opened. */
  async #lines(): Promise<ObjectLines | null> {
    try {
      return (await this.open()).lines;
    } catch {
      return null;
    }
  }
}

function townTarget(parts: {
  readonly gateway: TownService;
  readonly actors: ObjectActors;
  readonly lines: ObjectLines;
  readonly file: TownFile;
}): TownTarget {
  const { gateway, actors, lines, file } = parts;
  return {
    gateway,
    settings: {
      state: () => Promise.resolve(file.state()),
      change: (changes, meant) => file.change(changes, meant),
      replace: (text, meant) => file.replace(text, meant),
      reload: () => file.reload(),
    },
    addRig: async (body) => {
      const rigs = actors.town.program.view.rigs();
      return file.addRig(
        sectionOf(
          body,
          rigs.filter((rig) => rig.name !== body.name).map((rig) => rig.prefix),
        ),
      );
    },
    changeRig: (rig, settings, caller) =>
      file.changeRig(rig, settings, async () => refuseStaleRig(caller, await gateway.listRigs(), rig)),
    removeRig: async (rig, drain, caller) => {
      refuseStaleRig(caller, await gateway.listRigs(), rig);
      return file.removeRig(rig, drain, caller);
    },
    callRunner: (id, call) => lines.call(id, call),
    drainRunner: (id, on, graceMs) => lines.drain(id, on, graceMs),
    diff: async (runner, request) => lines.client(runner).diff(request),
    transcript: async (attempt, from, waitMs) =>
      lines.client(await gateway.runners.ofAttempt(attempt)).transcript(attempt, from, waitMs),
  };
}
