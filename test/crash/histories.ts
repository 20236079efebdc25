/** Short histories, each of one thing that a town does; together they come by every kind of commit, effect and message. */
import type { JobResult } from '../../src/core/facts.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { ConvoyDetail } from '../../src/core/queries.ts';
import { isGateOfWork, sha } from '../support/fake-runner.ts';
import { newTask } from '../support/town-story.ts';
import type { History, Story } from './story.ts';

const API = { api: {} };
const BOTH = { api: {}, web: {} };
const RED: JobResult = {
  result: 'gates',
  green: false,
  runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail: 'red' }],
};

const beadAt = (convoy: ConvoyDetail, position: number): BeadId => {
  const id = convoy.beads.find((row) => row.position === position)?.beadId ?? null;
  if (id === null) throw new Error(`no bead at ${String(position)}`);
  return id;
};

/** Every try of the bead fails in another way, so that nobody is asked and it ends as failed. */
async function failForGood(story: Story, title: string): Promise<void> {
  for (const colour of ['red', 'green', 'blue', 'black', 'white']) await story.fail(title, `failed as ${colour}`);
}

/** Once: the next job of this kind comes to this. */
function once(story: Story, kind: string, result: JobResult): void {
  let key: string | null = null;
  story.verdicts.push((job) => {
    if (job.kind !== kind) return null;
    key ??= job.key;
    return job.key === key ? result : null;
  });
}

/** Gates of the first work that is tested are red, however often they run; the target passes. */
function firstHeadIsRed(story: Story): void {
  let commit: string | null = null;
  story.verdicts.push((job) => {
    if (!isGateOfWork(job)) return null;
    commit ??= job.commit;
    return job.commit === commit ? RED : null;
  });
}

/** The bead's next agent, whatever its rework is called, commits and is done. */
async function finishAny(story: Story): Promise<void> {
  const { request } = await story.until('any agent', () => story.virtual.runner.running()[0] ?? null);
  await story.finish(request.title);
}

export const HISTORIES: readonly History[] = [
  {
    name: 'sling to merge',
    rigs: API,
    tell: async (story) => {
      const bead = await story.sling('one');
      await story.finish('one');
      await story.ended(bead);
    },
  },
  {
    name: 'red gate and rework',
    rigs: API,
    tell: async (story) => {
      firstHeadIsRed(story);
      const bead = await story.sling('one');
      await story.finish('one');
      await finishAny(story);
      await story.ended(bead);
    },
  },
  {
    name: 'conflict',
    rigs: API,
    tell: async (story) => {
      const first = await story.sling('one');
      const second = await story.sling('two');
      await story.finish('one');
      await story.ended(first);
      once(story, 'merge', { result: 'conflict', targetSha: sha(1), paths: ['a.txt'], message: '1 file conflicts' });
      await story.finish('two');
      await finishAny(story);
      await story.ended(second);
    },
  },
  {
    name: 'a lost race and a refused claim',
    rigs: API,
    tell: async (story) => {
      once(story, 'push', { result: 'lost_race', targetSha: sha(9) });
      once(story, 'verify', { result: 'refused', code: 'head_moved', message: 'moved' });
      const bead = await story.sling('one');
      const { request } = await story.running('one');
      story.virtual.runner.done(request.attempt, sha(0x77));
      await story.until('the refusal', async () =>
        (await story.virtual.service.getBead(bead)).attemptList[0]?.claimedHead === null ? null : true,
      );
      await story.town.advance(1_000);
      await story.finish('one');
      await story.ended(bead);
    },
  },
  {
    name: 'cancel while its agent works',
    rigs: API,
    tell: async (story) => {
      const bead = await story.sling('one');
      const waiting = await story.sling('after it', { dependsOn: [bead] });
      await story.running('one');
      await story.order({ type: 'close', bead, reason: 'cancelled', note: 'not wanted' });
      await story.order({ type: 'close', bead: waiting, reason: 'no_change', note: 'not needed either' });
      await story.ended(waiting);
    },
  },
  {
    name: 'failures, a question and its decision',
    rigs: API,
    tell: async (story) => {
      const bead = await story.sling('one');
      await story.fail('one', 'cannot find module x');
      await story.fail('one', 'cannot find module x');
      const asked = await story.until(
        'the question',
        async () => (await story.virtual.service.listEscalations(true)).find((item) => item.options.length > 0) ?? null,
      );
      await story.ask((service, caller) => service.commandEscalation(asked.id, { type: 'ack' }, caller));
      await story.ask((service, caller) =>
        service.commandEscalation(asked.id, { type: 'decide', option: 'retry' }, caller),
      );
      await story.finish('one');
      await story.ended(bead);
    },
  },
  {
    name: 'a convoy over two rigs',
    rigs: BOTH,
    tell: async (story) => {
      const convoy = await story.convoy({
        tasks: [newTask('api', 'a'), newTask('web', 'b', [0]), newTask('api', 'c', [1])],
      });
      for (const title of ['a', 'b', 'c']) await story.finish(title);
      await story.convoyIs(convoy, 'landed');
    },
  },
  {
    name: 'a staged convoy that is changed, started and closed',
    rigs: BOTH,
    tell: async (story) => {
      const convoy = await story.convoy({ tasks: [newTask('api', 'a'), newTask('web', 'b', [0])], staged: true });
      await story.ask((service, caller) =>
        service.changeConvoy(convoy.id, { type: 'add', plan: { tasks: [newTask('web', 'c')], beads: [] } }, caller),
      );
      await story.ask((service, caller) => service.startConvoy(convoy.id, caller));
      await story.finish('c');
      const { beads } = await story.virtual.service.getConvoy(convoy.id);
      await story.ended(trusted.bead(beads.find(({ title }) => title === 'c')?.beadId ?? ''));
      await story.running('a');
      await story.ask((service, caller) => service.changeConvoy(convoy.id, { type: 'close', note: 'enough' }, caller));
      await story.convoyIs(convoy, 'cancelled');
    },
  },
  {
    name: 'a convoy that holds, then skips',
    rigs: BOTH,
    tell: async (story) => {
      const convoy = await story.convoy({
        tasks: [newTask('api', 'a'), newTask('web', 'b', [0]), newTask('web', 'c')],
      });
      await story.finish('c');
      await failForGood(story, 'a');
      await story.ended(beadAt(convoy, 0));
      await story.until('people to be asked', async () => {
        const asked = await story.virtual.service.listEscalations(true);
        return asked.find(({ category }) => category === 'convoy') ?? null;
      });
      await story.ask((service, caller) =>
        service.changeConvoy(convoy.id, { type: 'update', update: { onFailure: 'skip' } }, caller),
      );
      await story.convoyIs(convoy, 'landed');
    },
  },
  {
    name: 'a convoy that aborts',
    rigs: BOTH,
    tell: async (story) => {
      const convoy = await story.convoy({
        tasks: [newTask('api', 'a'), newTask('web', 'b', [0]), newTask('web', 'c')],
        onFailure: 'abort',
      });
      await story.running('c');
      await failForGood(story, 'a');
      await story.convoyIs(convoy, 'failed');
      await story.finish('c');
    },
  },
  {
    name: 'the runner is lost under two agents',
    rigs: API,
    tell: async (story) => {
      const first = await story.sling('one');
      const second = await story.sling('two');
      const lost = [await story.running('one'), await story.running('two')];
      const { runner } = story.virtual;
      runner.instanceId = trusted.runner('runner-2');
      for (const { request } of lost)
        runner.exit(request.attempt, { exitCode: null, cause: 'runner_lost', rescueRef: 'refs/gt/rescue/x' });
      await story.ask((service) => service.runnerChanged('runner-2'));
      await story.finish('one');
      await story.finish('two');
      await story.ended(first);
      await story.ended(second);
    },
  },
  {
    name: 'contact is lost until the takeover',
    rigs: API,
    tell: async (story) => {
      const bead = await story.sling('one');
      const { request } = await story.running('one');
      await story.until('working', async () =>
        (await story.virtual.service.findAgent('nux')).status === 'working' ? true : null,
      );
      story.virtual.runner.silent = true;
      await story.until('the takeover', async () =>
        (await story.virtual.service.getBead(bead)).attemptList[0]?.outcome === 'infra' ? true : null,
      );
      story.virtual.runner.silent = false;
      story.virtual.runner.done(request.attempt, sha(0x99));
      story.virtual.runner.exit(request.attempt);
      const next = await story.until(
        'its successor',
        () => story.virtual.runner.running().find((one) => one.request.attempt !== request.attempt) ?? null,
      );
      await story.finish(next.request.title);
      await story.ended(bead);
    },
  },
];
