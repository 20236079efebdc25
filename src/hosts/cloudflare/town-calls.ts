import type { z } from 'zod';
import { convoyDetailSchema, convoyPageSchema, type CreateConvoyBody } from '../../api/contract/convoys.ts';
import { escalationPageSchema, escalationSchema } from '../../api/contract/escalations.ts';
import { rigPageSchema, rigRemovalSchema, rigSchema, type AddRigBody } from '../../api/contract/rigs.ts';
import { escalatedSchema } from '../../api/contract/talk.ts';
import { statusSchema } from '../../api/contract/town.ts';
import type { Hosted } from './actor-object.ts';
import { CalledObject, segment, type RpcAnswer, type RpcCall } from './called-object.ts';

type Convoy = z.infer<typeof convoyDetailSchema>;
type Status = z.infer<typeof statusSchema>;

/** What other Workers may call on a town; the table is in docs/rpc.md. */
export abstract class TownCalls<H extends Hosted> extends CalledObject<H> {
  createConvoy(title: string, tasks: CreateConvoyBody['tasks'], call: RpcCall): Promise<RpcAnswer<Convoy>> {
    return this.ask(convoyDetailSchema, call, { method: 'POST', path: 'convoys', body: { title, tasks } });
  }

  /** Recorded only; `startConvoy` lets it run. */
  stageConvoy(title: string, tasks: CreateConvoyBody['tasks'], call: RpcCall): Promise<RpcAnswer<Convoy>> {
    return this.ask(convoyDetailSchema, call, {
      method: 'POST',
      path: 'convoys',
      body: { title, tasks, staged: true },
    });
  }

  startConvoy(convoy: string, call: RpcCall): Promise<RpcAnswer<Convoy>> {
    return this.ask(convoyDetailSchema, call, { method: 'POST', path: `convoys/${segment(convoy)}/start`, body: {} });
  }

  getConvoy(convoy: string, call: RpcCall): Promise<RpcAnswer<Convoy>> {
    return this.ask(convoyDetailSchema, call, { method: 'GET', path: `convoys/${segment(convoy)}` });
  }

  listConvoys(call: RpcCall): Promise<RpcAnswer<z.infer<typeof convoyPageSchema>>> {
    return this.ask(convoyPageSchema, call, { method: 'GET', path: 'convoys' });
  }

  /**
   * Whether the bead counts as ended in its convoy, and where the convoy is then. Nobody has to call it: rigs tell the
   * town by messages, and counts are derived from rows, so that a repeat changes nothing. Errors: `not_in_convoy`.
   */
  async onBeadClosed(convoy: string, bead: string, call: RpcCall): Promise<RpcAnswer<Convoy & { counted: boolean }>> {
    const found = await this.getConvoy(convoy, call);
    if (!found.ok) return found;
    const row = found.value.beads.find((one) => one.id === bead);
    if (row !== undefined) {
      const counted = row.status !== 'live' && row.status !== 'creating';
      return { ok: true, value: { ...found.value, counted } };
    }
    return {
      ok: false,
      error: {
        code: 'not_in_convoy',
        message: `${bead} is no bead of ${convoy}.`,
        next: 'Look at the beads of the convoy.',
      },
    };
  }

  /** An agent tells people: low to the log, medium to the mayor, high and critical outside too. With its capability. */
  routeEscalation(
    input: { readonly severity?: 'low' | 'medium' | 'high' | 'critical'; readonly message: string },
    call: RpcCall,
  ): Promise<RpcAnswer<z.infer<typeof escalatedSchema>>> {
    return this.ask(escalatedSchema, call, { method: 'POST', path: 'agent/escalate', body: input });
  }

  listEscalations(call: RpcCall): Promise<RpcAnswer<z.infer<typeof escalationPageSchema>>> {
    return this.ask(escalationPageSchema, call, { method: 'GET', path: 'escalations' });
  }

  acknowledgeEscalation(id: string, call: RpcCall): Promise<RpcAnswer<z.infer<typeof escalationSchema>>> {
    return this.ask(escalationSchema, call, { method: 'POST', path: `escalations/${segment(id)}/ack`, body: {} });
  }

  /** The watchdog's questions are timers of the town; this lets those ring that are due, and says what is known. */
  async watchdogHeartbeat(call: RpcCall): Promise<RpcAnswer<Status['health']>> {
    const turned = await this.turn(call);
    if (!turned.ok) return turned;
    const status = await this.ask(statusSchema, call, { method: 'GET', path: 'status' });
    return status.ok ? { ok: true, value: status.value.health } : status;
  }

  addRig(input: AddRigBody, call: RpcCall): Promise<RpcAnswer<z.infer<typeof rigSchema>>> {
    return this.ask(rigSchema, call, { method: 'POST', path: 'rigs', body: input });
  }

  removeRig(rig: string, call: RpcCall): Promise<RpcAnswer<z.infer<typeof rigRemovalSchema>>> {
    return this.ask(rigRemovalSchema, call, { method: 'POST', path: `rigs/${segment(rig)}/remove`, body: {} });
  }

  listRigs(call: RpcCall): Promise<RpcAnswer<z.infer<typeof rigPageSchema>>> {
    return this.ask(rigPageSchema, call, { method: 'GET', path: 'rigs' });
  }
}
