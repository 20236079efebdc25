import { MayorActor } from '../../actors/mayor/mayor-actor.ts';
import { named } from '../../actors/kernel/named.ts';
import { RigActor } from '../../actors/rig/rig-actor.ts';
import { TownService } from '../../actors/town-service.ts';
import type { AddRigBody } from '../../api/contract/rigs.ts';
import type { SettingsDoor } from '../../api/handlers/settings.ts';
import type { Caller, RigSettings } from '../../core/commands.ts';
import type { Fact } from '../../core/facts.ts';
import type { RigName } from '../../core/model/ids.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import type { RigRemoval, RigSummary } from '../../core/queries.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { TownGateway } from '../../ports/town-gateway.ts';
import type { Migration } from '../../store/migrate.ts';
import { MAYOR_MIGRATIONS } from '../../store/migrations/mayor.ts';
import { RIG_MIGRATIONS } from '../../store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../store/migrations/town.ts';
import { parseSettings, type Settings } from '../../settings/settings.ts';
import { TownFile, type FileStore } from '../../settings/town-file.ts';
import { ActorObject, type Hosted } from './actor-object.ts';
import { stubOf } from './env.ts';
import { ObjectActors } from './object-actors.ts';
import { notHere, ObjectNotifier } from './object-notifier.ts';
import { sectionOf } from './rig-settings.ts';
import { settingsStore } from './settings-store.ts';

/** One rig. */
export class RigDO extends ActorObject {
  protected override migrations(): readonly Migration[] {
    return RIG_MIGRATIONS;
  }

  protected override make(): Hosted {
    const rig = named(
      new RigActor({
        address: this.name().slice(this.env.GT_TOWN_ID.length + 1),
        town: this.env.GT_TOWN_ID,
        ports: this.host.ports,
        sql: this.host.ports.openSql(''),
        createdAtMs: this.createdAtMs(),
        deliver: this.deliver,
      }),
    );
    return { actor: rig.actor, target: rig };
  }
}

/** The mayor of a town. */
export class MayorDO extends ActorObject {
  protected override migrations(): readonly Migration[] {
    return MAYOR_MIGRATIONS;
  }

  protected override make(): Hosted {
    const { GT_TOWN_ID: id, GT_TOWN_NAME: name } = this.env;
    const { ports } = this.host;
    const mayor = named(new MayorActor({ ports, sql: ports.openSql(''), town: { id, name }, deliver: this.deliver }));
    return { actor: mayor.actor, target: mayor };
  }
}

/** What the Worker asks of a town: its gateway, and what needs its file. */
export interface TownTarget {
  readonly gateway: TownGateway;
  readonly settings: SettingsDoor;
  addRig(body: AddRigBody, caller: Caller): Promise<RigSummary>;
  changeRig(name: RigName, settings: RigSettings, caller: Caller): Promise<RigSummary>;
  removeRig(name: RigName, drain: boolean, caller: Caller): Promise<RigRemoval>;
}

/** A town: its own actor, and the service that speaks for all of them. */
export class TownDO extends ActorObject {
  protected override file(): FileStore {
    return settingsStore(this.ctx.storage.kv, this.env.GT_TOWN_NAME);
  }

  protected override migrations(): readonly Migration[] {
    return TOWN_MIGRATIONS;
  }

  protected override instead(): Partial<HostPorts> {
    const secret = (name: string): string | null => {
      const value: unknown = Reflect.get(this.env, name);
      return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
    };
    const store = this.file();
    const settings = (): Settings => parseSettings(store.read(), 'gastown.toml', {});
    return { notifier: new ObjectNotifier({ town: this.env.GT_TOWN_NAME, settings, secret }) };
  }

  protected override make(): Hosted {
    const { GT_TOWN_ID: id, GT_TOWN_NAME: name } = this.env;
    const { ports } = this.host;
    const actors = new ObjectActors({
      ports,
      sql: ports.openSql(''),
      kv: this.ctx.storage.kv,
      askOf: (address) => (path, args) => stubOf(this.env, address).call(path, args),
      deliver: this.deliver,
    });
    const gateway = new TownService({ id, name, ports, actors });
    const file = new TownFile({ store: this.file(), town: gateway, env: {}, refuses: notHere });
    const target: TownTarget = {
      gateway,
      settings: {
        state: () => Promise.resolve(file.state()),
        change: (changes) => file.change(changes),
        replace: (text) => file.replace(text),
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
      changeRig: (rig, settings) => file.changeRig(rig, settings),
      removeRig: (rig, drain, caller) => file.removeRig(rig, drain, caller),
    };
    const resumed = async (facts: readonly Fact[]): Promise<void> => {
      await file.apply();
      await gateway.runners.away(LOCAL_RUNNER, 'down', 'the town was moved away from its machine');
      await gateway.recordFacts(facts);
    };
    return { actor: actors.town.actor, target, resumed };
  }
}
