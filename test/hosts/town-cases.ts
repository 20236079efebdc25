/** Actors and the messages between them: a whole town on virtual time. Each case gets an empty one. */
import { TownError } from '../../src/core/errors.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { rigConfig } from '../support/rig-config.ts';
import type { TownBench } from './bench.ts';
import { equal, type Case } from './case.ts';
import { finish, newBead, newConvoy, newTask, person, processOf } from './words.ts';

const HOUR = 3_600_000;

const open = (bench: TownBench): Promise<void> => bench.start([rigConfig('api'), rigConfig('web')]);

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return error instanceof TownError ? `${error.kind} ${error.code}` : String(error);
  }
}

const statusOf = async (bench: TownBench, id: string): Promise<string> =>
  (await bench.gateway.getBead(trusted.bead(id))).status;

/** How many facts an actor still has that it applied. */
async function appliedOf(bench: TownBench, address: string): Promise<number> {
  const inbox = (await bench.ends())
    .find((end) => end.address === address)
    ?.tables.find(({ table }) => table === 'inbox');
  const state = inbox?.columns.indexOf('state') ?? -1;
  return inbox?.rows.filter((row) => row[state] === 'applied').length ?? 0;
}

const MESSAGES: readonly Case<TownBench>[] = [
  {
    name: 'messages: a convoy is made, run and landed over two rigs',
    run: async (bench) => {
      await open(bench);
      const convoy = await bench.gateway.createConvoy(
        newConvoy({ tasks: [newTask('api', 'a'), newTask('web', 'b', [0]), newTask('api', 'c', [1])] }),
        person('convoy'),
      );
      equal(
        convoy.beads.map((row) => row.beadId !== null),
        [true, true, true],
      );
      for (const title of ['a', 'b', 'c']) {
        await bench.settle();
        await finish(bench, title);
      }
      equal((await bench.gateway.getConvoy(convoy.id)).status, 'landed');
    },
  },
  {
    name: 'messages: a repeat is a duplicate, one that comes early a gap, and neither changes anything',
    run: async (bench) => {
      await open(bench);
      const say = (seq: number): Promise<string> =>
        bench.receive({
          from: 'rig/ghost',
          to: 'town',
          seq,
          message: { type: 'escalation_raised', causeKey: `ghost:${String(seq)}`, ...TROUBLE },
        } as Parameters<TownBench['receive']>[0]);
      equal(
        [await say(1), await say(1), await say(3), await say(2), await say(3)],
        ['applied', 'duplicate', 'gap', 'applied', 'applied'],
      );
      await bench.settle();
      equal(
        (await bench.gateway.listEscalations(true)).map((item) => item.repeats),
        [0, 0, 0],
      );
    },
  },
  {
    name: 'messages: everybody dies in the middle of a convoy, and each bead is made once and merged',
    run: async (bench) => {
      await open(bench);
      const tasks = ['a', 'b', 'c', 'd'].map((title, index) => newTask(index % 2 === 0 ? 'api' : 'web', title));
      const asked = bench.gateway.createConvoy(newConvoy({ tasks }), person('once')).catch(() => null);
      await bench.crash();
      await asked;
      const again = await bench.gateway.createConvoy(newConvoy({ tasks }), person('once'));
      await bench.crash();
      await bench.advance(60_000);
      await bench.crash();
      for (const title of ['a', 'b', 'c', 'd']) await finish(bench, title);
      await bench.advance(60_000);
      equal((await bench.gateway.getConvoy(again.id)).status, 'landed');
      const beads = await bench.gateway.listBeads({ limit: 100, includeMergeRequests: false });
      equal(
        beads.items
          .filter((item) => item.type !== 'merge_request')
          .map((item) => item.title)
          .toSorted(),
        ['a', 'b', 'c', 'd'],
      );
    },
  },
];

const TROUBLE = { severity: 'low', category: 'rig', subject: 'rig:ghost', text: 'trouble' };

const ACTORS: readonly Case<TownBench>[] = [
  {
    name: 'actor: a bead goes from sling to merge',
    run: async (bench) => {
      await open(bench);
      const { id } = await bench.gateway.createBead(newBead('one'), person());
      await bench.settle();
      await finish(bench, 'one');
      equal(await statusOf(bench, id), 'closed');
      equal(bench.runner.pushed.length, 1, 'pushes');
    },
  },
  {
    name: 'actor: a repeated key gets the first answer, over a death too',
    run: async (bench) => {
      await open(bench);
      const first = await bench.gateway.createBead(newBead('one'), person('key'));
      await bench.crash();
      const second = await bench.gateway.createBead(newBead('one'), person('key'));
      equal(second.id, first.id);
      equal((await bench.gateway.listBeads({ limit: 100, includeMergeRequests: false })).items.length, 1);
    },
  },
  {
    name: 'actor: work goes on after its death at any moment',
    run: async (bench) => {
      await open(bench);
      const { id } = await bench.gateway.createBead(newBead('one'), person('one'));
      await bench.crash();
      await bench.advance(30_000);
      const { request } = processOf(bench, 'one');
      await bench.crash();
      await finish(bench, 'one');
      await bench.crash();
      await bench.advance(60_000);
      equal([await statusOf(bench, id), bench.runner.processes.size, request.epoch], ['closed', 1, 1]);
    },
  },
  {
    name: 'actor: what was refused says why in the same words, and changes nothing',
    run: async (bench) => {
      await open(bench);
      equal(
        [
          await codeOf(bench.gateway.getBead(trusted.bead('api-nobody'))),
          await codeOf(bench.gateway.createBead(newBead('x', { rig: trusted.rig('no') }), person())),
          await codeOf(bench.gateway.why('nothing-like-it')),
          await codeOf(bench.gateway.beadCommand({ type: 'retry', bead: trusted.bead('zzz-00000') }, person())),
        ],
        ['not_found bead_not_found', 'not_found rig_not_found', 'not_found id_not_found', 'not_found bead_not_found'],
      );
    },
  },
  {
    name: 'actor: a runner that is silent and answers late loses nothing',
    run: async (bench) => {
      await open(bench);
      bench.runner.silent = true;
      const { id } = await bench.gateway.createBead(newBead('one'), person());
      await bench.advance(40_000);
      equal(bench.runner.running().length, 0);
      bench.runner.silent = false;
      await bench.advance(10 * 60_000);
      await finish(bench, 'one');
      await bench.advance(60_000);
      equal(await statusOf(bench, id), 'closed');
    },
  },
  {
    name: 'actor: a town at rest has no alarm',
    run: async (bench) => {
      await open(bench);
      equal(await bench.settle(), null, 'the alarm of an empty town');
      await bench.gateway.createBead(newBead('one'), person());
      equal((await bench.settle()) === null, false, 'the alarm of a working town');
      await finish(bench, 'one');
      await bench.advance(2 * HOUR);
      equal(await bench.settle(), null, 'the alarm when all is done');
    },
  },
  {
    name: 'actor: one that never lives for long keeps house all the same, and rests',
    run: async (bench) => {
      await open(bench);
      await bench.gateway.createBead(newBead('one'), person('key'));
      await bench.settle();
      await finish(bench, 'one');
      await bench.advance(25 * HOUR);
      equal((await appliedOf(bench, 'rig/api')) > 0, true, 'facts that were applied a day ago');
      // Addresses are the town, the mayor, then the rigs.
      await bench.evict(2);
      equal(await appliedOf(bench, 'rig/api'), 0, 'once somebody opened it for a moment');
      equal(await bench.settle(), null, 'the alarm afterwards');
    },
  },
  {
    name: 'actor: everything that people read answers',
    run: async (bench) => {
      await open(bench);
      const { id } = await bench.gateway.createBead(newBead('one'), person());
      await bench.settle();
      const { gateway } = bench;
      const status = await gateway.status();
      equal([status.rigs.length, status.violations, (await gateway.why(id)).id], [2, [], id]);
      equal(
        (await gateway.listAgents()).map((agent) => agent.status),
        ['working'],
      );
      equal(
        (await gateway.feed(null, 1_000)).items.some((item) => item.entity === `bead:${id}`),
        true,
      );
      equal((await gateway.listQueue()).length + (await gateway.attention()).length, 0);
      equal((await gateway.money.listBudgets()).length + (await gateway.money.listQuota()).length, 0);
      equal((await gateway.mayor.summary()).isConfigured, false);
      equal((await gateway.talk.mailbox({ address: null, unreadOnly: false, limit: 10 })).length, 0);
    },
  },
];

export const TOWN_CASES: readonly Case<TownBench>[] = [...MESSAGES, ...ACTORS];
