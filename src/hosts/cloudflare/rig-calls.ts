import type { z } from 'zod';
import { agentPageSchema, agentSchema, recordedSchema, savedSchema } from '../../api/contract/agents.ts';
import { beadDetailSchema, beadPageSchema, beadSchema, type CreateBeadBody } from '../../api/contract/beads.ts';
import type { Fact } from '../../api/contract/runner.ts';
import { sentMailSchema, type SendMailBody } from '../../api/contract/talk.ts';
import { CalledObject, segment, type AlarmStatus, type RpcAnswer, type RpcCall } from './called-object.ts';

type Bead = z.infer<typeof beadSchema>;
type Agent = z.infer<typeof agentSchema>;
type Recorded = z.infer<typeof recordedSchema>;
type FactOf<Type> = Extract<Fact, { readonly type: Type }>;

/** What other Workers may call on a rig; the table is in docs/rpc.md. */
export abstract class RigCalls extends CalledObject {
  protected rig(): string {
    return this.name().slice(`${this.env.GT_TOWN_ID}/rig/`.length);
  }

  createBead(input: Omit<CreateBeadBody, 'rig'>, call: RpcCall): Promise<RpcAnswer<Bead>> {
    return this.ask(beadSchema, call, { method: 'POST', path: 'beads', body: { ...input, rig: this.rig() } });
  }

  getBead(bead: string, call: RpcCall): Promise<RpcAnswer<z.infer<typeof beadDetailSchema>>> {
    return this.ask(beadDetailSchema, call, { method: 'GET', path: `beads/${segment(bead)}` });
  }

  listBeads(call: RpcCall): Promise<RpcAnswer<z.infer<typeof beadPageSchema>>> {
    return this.ask(beadPageSchema, call, { method: 'GET', path: `beads?rig=${segment(this.rig())}` });
  }

  /** Slings the bead to this agent and no other; it is hooked when the agent is free. */
  hookBead(agent: string, bead: string, call: RpcCall): Promise<RpcAnswer<Bead>> {
    return this.ask(beadSchema, call, { method: 'POST', path: `beads/${segment(bead)}/sling`, body: { agent } });
  }

  unhookBead(bead: string, call: RpcCall): Promise<RpcAnswer<Bead>> {
    return this.ask(beadSchema, call, { method: 'POST', path: `beads/${segment(bead)}/unsling`, body: {} });
  }

  /** An agent that is there. The rig makes agents itself, when work needs them. Errors: `agent_not_found`. */
  registerAgent(agent: string, call: RpcCall): Promise<RpcAnswer<Agent>> {
    return this.ask(agentSchema, call, { method: 'GET', path: `agents/${segment(agent)}` });
  }

  listAgents(call: RpcCall): Promise<RpcAnswer<z.infer<typeof agentPageSchema>>> {
    return this.ask(agentPageSchema, call, { method: 'GET', path: `agents?rig=${segment(this.rig())}` });
  }

  /** A claim, as the runner reports it: recorded, and judged by the rules. With the runner's credential. */
  agentDone(fact: Omit<FactOf<'agent_done'>, 'type' | 'rig'>, call: RpcCall): Promise<RpcAnswer<Recorded>> {
    return this.#fact({ ...fact, type: 'agent_done', rig: this.rig() }, call);
  }

  /** How a process ended, as the runner reports it: recorded, and judged by the rules. With the runner's credential. */
  agentCompleted(fact: Omit<FactOf<'agent_exited'>, 'type' | 'rig'>, call: RpcCall): Promise<RpcAnswer<Recorded>> {
    return this.#fact({ ...fact, type: 'agent_exited', rig: this.rig() }, call);
  }

  #fact(fact: Fact, call: RpcCall): Promise<RpcAnswer<Recorded>> {
    return this.ask(recordedSchema, call, { method: 'POST', path: 'runner/facts', body: { facts: [fact] } });
  }

  requestChanges(bead: string, comment: string, call: RpcCall): Promise<RpcAnswer<Bead>> {
    const path = `beads/${segment(bead)}/request-changes`;
    return this.ask(beadSchema, call, { method: 'POST', path, body: { comment } });
  }

  sendMail(mail: SendMailBody, call: RpcCall): Promise<RpcAnswer<z.infer<typeof sentMailSchema>>> {
    return this.ask(sentMailSchema, call, { method: 'POST', path: 'mail', body: mail });
  }

  /** For the next attempt; with the capability of the agent. */
  writeCheckpoint(data: unknown, call: RpcCall): Promise<RpcAnswer<z.infer<typeof savedSchema>>> {
    return this.ask(savedSchema, call, { method: 'POST', path: 'agent/checkpoint', body: { data } });
  }

  /** The phases of the first design's alarm are rules of one turn; each of these is that turn. */
  schedulePendingWork(call: RpcCall): Promise<RpcAnswer<AlarmStatus>> {
    return this.turn(call);
  }

  witnessPatrol(call: RpcCall): Promise<RpcAnswer<AlarmStatus>> {
    return this.turn(call);
  }

  processReviewQueue(call: RpcCall): Promise<RpcAnswer<AlarmStatus>> {
    return this.turn(call);
  }
}
