import { MayorActor } from '../../actors/mayor/mayor-actor.ts';
import { named } from '../../actors/kernel/named.ts';
import { RigActor } from '../../actors/rig/rig-actor.ts';
import { TownService } from '../../actors/town-service.ts';
import type { AddRigBody } from '../../api/contract/rigs.ts';
import type { Caller, RigSettings } from '../../core/commands.ts';
import { notFound } from '../../core/errors.ts';
import type { RigName } from '../../core/model/ids.ts';
import type { RigSummary } from '../../core/queries.ts';
import type { TownGateway } from '../../ports/town-gateway.ts';
import { ActorObject, type Hosted } from './actor-object.ts';
import { stubOf } from './env.ts';
import { ObjectActors } from './object-actors.ts';
import { changedRig, rigConfigOf, rigExists } from './rig-settings.ts';

/** One rig. */
export class RigDO extends ActorObject {
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
  protected override make(): Hosted {
    const { GT_TOWN_ID: id, GT_TOWN_NAME: name } = this.env;
    const { ports } = this.host;
    const mayor = named(new MayorActor({ ports, sql: ports.openSql(''), town: { id, name }, deliver: this.deliver }));
    return { actor: mayor.actor, target: mayor };
  }
}

/** What the Worker asks of a town: its gateway, and what needs the registry. */
export interface TownTarget {
  readonly gateway: TownGateway;
  addRig(body: AddRigBody, caller: Caller): Promise<RigSummary>;
  changeRig(name: RigName, settings: RigSettings, caller: Caller): Promise<RigSummary>;
}

/** A town: its own actor, and the service that speaks for all of them. */
export class TownDO extends ActorObject {
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
    const target: TownTarget = {
      gateway,
      addRig: async (body) => {
        const { view } = actors.town.program;
        if (actors.rig(body.name) !== null) throw rigExists(body.name);
        return gateway.addRig(
          rigConfigOf(
            body,
            view.rigs().map((rig) => rig.prefix),
          ),
        );
      },
      changeRig: async (rig, settings) => {
        const row = actors.town.program.view.rig(rig);
        if (row === null) throw notFound('rig', rig);
        return gateway.addRig(changedRig(row.config, settings));
      },
    };
    return { actor: actors.town.actor, target };
  }
}
