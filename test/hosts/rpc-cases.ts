/** The methods that other Workers call, each once and some twice, in a real workerd. */
import { mintCapability } from '../../src/api/capability.ts';
import type { RigCalls } from '../../src/hosts/cloudflare/rig-calls.ts';
import type { TownCalls } from '../../src/hosts/cloudflare/town-calls.ts';
import type { Hosted } from '../../src/hosts/cloudflare/actor-object.ts';
import type { RpcAnswer, RpcCall } from '../../src/hosts/cloudflare/called-object.ts';
import { AGENT_VERBS } from '../../src/core/queries.ts';
import { factSchema, type Fact } from '../../src/api/contract/runner.ts';
import { trusted } from '../../src/core/model/ids.ts';
import type { Notification } from '../../src/ports/notifier.ts';
import { rigConfig } from '../support/rig-config.ts';
import type { TownBench } from './bench.ts';
import { equal, runCase, type CaseResult } from './case.ts';
import { processOf } from './words.ts';

export type TownRpc = TownCalls<Hosted>;
export type RigRpc = RigCalls;

interface Objects {
  /** On virtual time, with a runner that does what the bench says. */
  readonly town: TownRpc;
  readonly rig: RigRpc;
  /** As they are deployed. */
  readonly realTown: TownRpc;
  readonly realRig: RigRpc;
  readonly secrets: { readonly owner: string; readonly runner: string; readonly key: string };
}

export const NOTICE: Notification = {
  key: 'hq-esc-00001:1:webhook',
  escalation: 'hq-esc-00001',
  severity: 'high',
  category: 'bead',
  rig: 'api',
  subject: 'bead:api-00001',
  message: 'A person should look.',
  rises: 0,
  raisedAtMs: 1,
  next: 'gt escalation list',
};

const value = <T>(answer: RpcAnswer<T>): T => {
  if (answer.ok) return answer.value;
  throw new Error(`${answer.error.code}: ${answer.error.message}`);
};
const codeOf = (answer: RpcAnswer<unknown>): string => (answer.ok ? 'ok' : answer.error.code);

export async function rpcResults(bench: TownBench, objects: Objects): Promise<readonly CaseResult[]> {
  await bench.start([rigConfig('api')]);
  const cases = [...BEADS, ...CONVOYS, ...MACHINE];
  const results: CaseResult[] = [];
  for (const { name, run } of cases) results.push(await runCase({ name, run: () => run(bench, objects) }, null));
  return results;
}

interface RpcCase {
  readonly name: string;
  readonly run: (bench: TownBench, objects: Objects) => Promise<void>;
}

/** As the runner hands it to the agent of the process. */
async function capabilityOf(bench: TownBench, { secrets }: Objects, title: string): Promise<RpcCall> {
  const { request } = processOf(bench, title);
  const token = await mintCapability(
    {
      town: bench.gateway.id,
      rig: trusted.rig('api'),
      agent: trusted.agent(request.agent),
      bead: trusted.bead(request.bead),
      attempt: trusted.attempt(request.attempt),
      epoch: request.epoch,
      verbs: [...AGENT_VERBS],
      expiresAtMs: Date.now() + 3_600_000,
    },
    secrets.key,
  );
  return { token };
}

/** Facts that the bench's runner has made, as a runner would send them. */
const factsOf = (bench: TownBench): readonly Fact[] => factSchema.array().parse(bench.runner.facts.splice(0));

const BEADS: readonly RpcCase[] = [
  {
    name: 'createBead, getBead, listBeads: the same right, the same key, the same answer as in the API',
    run: async (bench, { rig, secrets }) => {
      const owner = { token: secrets.owner, key: 'one' };
      const first = value(await rig.createBead({ title: 'one', sling: true }, owner));
      equal(value(await rig.createBead({ title: 'one', sling: true }, owner)).id, first.id, 'a repeat');
      equal(codeOf(await rig.createBead({ title: 'x' }, { token: 'x'.repeat(32) })), 'bad_credential');
      equal(codeOf(await rig.createBead({ title: 'x' }, { token: secrets.runner })), 'wrong_credential');
      equal(codeOf(await rig.createBead({ title: '' }, owner)), 'bad_field');
      await bench.settle();
      equal(value(await rig.getBead(first.id, owner)).title, 'one');
      equal(value(await rig.listBeads(owner)).items.length, 1);
    },
  },
  {
    name: 'hookBead, unhookBead, registerAgent, listAgents',
    run: async (bench, { rig, secrets }) => {
      const owner = { token: secrets.owner };
      const [agent] = value(await rig.listAgents(owner)).items;
      if (agent === undefined) throw new Error('there is no agent');
      equal(value(await rig.registerAgent(agent.id, owner)).id, agent.id);
      equal(codeOf(await rig.registerAgent('api/polecats/nobody', owner)), 'agent_not_found');
      const bead = value(await rig.createBead({ title: 'pinned', sling: false }, owner));
      equal(value(await rig.hookBead(agent.id, bead.id, owner)).pinned_agent, agent.id);
      await bench.settle();
      equal(value(await rig.unhookBead(bead.id, owner)).hold, 'staged');
      equal(codeOf(await rig.requestChanges(bead.id, 'Not yet.', owner)) === 'ok', false);
    },
  },
  {
    name: 'writeCheckpoint, routeEscalation, sendMail, and what becomes of an escalation',
    run: async (bench, objects) => {
      const { rig, town, secrets } = objects;
      const agent = await capabilityOf(bench, objects, 'one');
      equal(value(await rig.writeCheckpoint({ at: 1 }, agent)).saved, true);
      equal(codeOf(await rig.writeCheckpoint({ at: 1 }, { token: secrets.owner })), 'wrong_credential');
      equal(value(await town.routeEscalation({ severity: 'high', message: 'Stuck.' }, agent)).escalated, true);
      await bench.settle();
      const owner = { token: secrets.owner };
      const [item] = value(await town.listEscalations(owner)).items;
      equal(value(await town.acknowledgeEscalation(item?.id ?? '', owner)).severity, 'high');
      const to = processOf(bench, 'one').request.agent;
      equal(value(await rig.sendMail({ to, subject: 'Hello', body: 'There.' }, owner)).id?.startsWith('ml-'), true);
    },
  },
  {
    name: 'agentDone, agentCompleted: recorded once, judged by the rules',
    run: async (bench, { rig, secrets }) => {
      const { request } = processOf(bench, 'one');
      bench.runner.done(request.attempt, '7'.repeat(40));
      bench.runner.exit(request.attempt, { head: '7'.repeat(40) });
      const runner = { token: secrets.runner };
      for (const fact of factsOf(bench)) {
        if (fact.type !== 'agent_done' && fact.type !== 'agent_exited') await bench.gateway.recordFacts([fact]);
        else
          for (let times = 0; times < 2; times += 1) {
            const told = fact.type === 'agent_done' ? rig.agentDone(fact, runner) : rig.agentCompleted(fact, runner);
            equal(value(await told).recorded, [fact.key]);
          }
      }
      await bench.settle();
      equal(value(await rig.getBead(request.bead, { token: secrets.owner })).status, 'closed');
    },
  },
];

const TASKS = [
  { rig: 'api', title: 'a' },
  { rig: 'api', title: 'b', depends_on: [0] },
];

const CONVOYS: readonly RpcCase[] = [
  {
    name: 'createConvoy, getConvoy, listConvoys, onBeadClosed: counted once, however often it is said',
    run: async (bench, { town, secrets }) => {
      const owner = { token: secrets.owner, key: 'convoy' };
      const convoy = value(await town.createConvoy('both', TASKS, owner));
      equal(value(await town.createConvoy('both', TASKS, owner)).id, convoy.id, 'a repeat');
      const bead = convoy.beads[0]?.id ?? '';
      equal(value(await town.onBeadClosed(convoy.id, bead, owner)).counted, false);
      equal(codeOf(await town.onBeadClosed(convoy.id, 'api-zzzzz', owner)), 'not_in_convoy');
      for (const title of ['a', 'b']) {
        await bench.settle();
        const { attempt } = processOf(bench, title).request;
        const head = title.repeat(40);
        bench.runner.done(attempt, head);
        bench.runner.exit(attempt, { head });
        await bench.settle();
      }
      for (let times = 0; times < 2; times += 1) {
        const said = value(await town.onBeadClosed(convoy.id, bead, owner));
        equal([said.counted, said.closed_beads, said.status], [true, 2, 'landed']);
      }
      equal(value(await town.getConvoy(convoy.id, owner)).status, 'landed');
      equal(value(await town.listConvoys(owner)).items.length, 1);
    },
  },
  {
    name: 'stageConvoy, startConvoy',
    run: async (bench, { town, secrets }) => {
      const owner = { token: secrets.owner };
      const convoy = value(await town.stageConvoy('later', [{ rig: 'api', title: 'c' }], owner));
      equal(convoy.status, 'staged');
      equal(value(await town.startConvoy(convoy.id, owner)).status, 'active');
      await bench.settle();
      processOf(bench, 'c');
    },
  },
];

const MACHINE: readonly RpcCase[] = [
  {
    name: 'addRig, listRigs, removeRig on the objects as they are deployed',
    run: async (_, { realTown, secrets }) => {
      const owner = { token: secrets.owner };
      const url = 'https://git.example.org/rpc.git';
      equal(value(await realTown.addRig({ name: 'rpc', url }, owner)).prefix, 'rpc');
      equal(codeOf(await realTown.addRig({ name: 'rpc', url }, owner)), 'rig_exists');
      equal(
        value(await realTown.listRigs(owner)).items.some((rig) => rig.id === 'rpc'),
        true,
      );
      // Nobody has cloned it: its order for a runner still waits, and is not thrown away.
      equal(codeOf(await realTown.removeRig('rpc', owner)), 'rig_has_work');
      equal(codeOf(await realTown.removeRig('none', owner)), 'rig_not_found');
    },
  },
  {
    name: 'healthCheck, getAlarmStatus, watchdogHeartbeat and the phases of the alarm',
    run: async (_, { realTown, realRig, secrets }) => {
      const owner = { token: secrets.owner };
      equal([await realTown.healthCheck(), await realRig.healthCheck()], [{ status: 'ok' }, { status: 'ok' }]);
      equal(codeOf(await realRig.getAlarmStatus({ token: secrets.runner })), 'wrong_credential');
      equal(value(await realRig.getAlarmStatus(owner)).held, false);
      equal(Array.isArray(value(await realTown.watchdogHeartbeat(owner))), true);
      for (const phase of [
        realRig.schedulePendingWork(owner),
        realRig.witnessPatrol(owner),
        realRig.processReviewQueue(owner),
      ])
        equal(value(await phase).held, false);
    },
  },
];
