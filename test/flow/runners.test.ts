import { describe, expect, it } from 'vitest';
import { TAKEOVER_AFTER_MS, WATCHDOG_INTERVAL_MS } from '../../src/core/limits.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { defaultResult, sha } from '../support/fake-runner.ts';
import { human, MINUTE, newBead, show } from '../support/town-story.ts';
import { openTwo } from '../support/two-runners.ts';

/** A bead that is claimed at `a`, whose line is cut then; nobody else has its work. */
async function claimedAtOneThatIsCut() {
  const { town, at } = await openTwo();
  const { id } = await town.service.createBead(newBead('one'), human);
  await town.settle();
  const attempt = at('a').running()[0]?.request.attempt ?? '';
  const missing = { result: 'refused', code: 'ref_missing', message: 'It is not here.' } as const;
  const late = { result: 'error', message: 'It is not here yet.' } as const;
  for (const other of [at('b'), town.runner])
    other.judge = (job) => (job.kind === 'verify' ? (job.elsewhere === true ? late : missing) : defaultResult(job));
  at('a').done(attempt, sha(40));
  at('a').exit(attempt);
  at('a').silent = true;
  await town.service.recordFacts(at('a').facts.splice(0), 'a');
  await town.service.runners.away('a', 'suspect', 'its line was cut');
  return { town, at, id };
}

describe('a runner', () => {
  it('gets work by its load, and keeps a lineage', async () => {
    const { town, at } = await openTwo();
    for (const title of ['one', 'two', 'three', 'four']) await town.service.createBead(newBead(title), human);
    await town.settle();
    expect([at('a').running().length, at('b').running().length, town.runner.running().length]).toEqual([2, 2, 0]);
    expect(at('a').running()[0]?.request.repo).toMatchObject({ shared: true });
    const first = at('b').running()[0]?.request;
    at('b').exit(first?.attempt ?? '', { exitCode: 1, lastLine: 'oops' });
    // Both have one now, so that by load alone it would go to the other.
    const done = at('a').running()[0]?.request.attempt ?? '';
    at('a').done(done, sha(40));
    at('a').exit(done);
    await town.settle();
    await town.advance(2 * MINUTE);
    expect([at('a').running().length, at('b').running().length]).toEqual([1, 2]);
    expect(
      at('b')
        .running()
        .some((process) => process.request.bead === first?.bead),
    ).toBe(true);
  });

  it('that is silent loses its work to another one at the takeover deadline, and speaks for it no more', async () => {
    const { town, at } = await openTwo();
    const { id } = await town.service.createBead(newBead('one'), human);
    await town.settle();
    const [old] = at('a').running();
    at('a').silent = true;
    await town.service.runners.away('a', 'suspect', 'its line was cut');
    await town.advance(TAKEOVER_AFTER_MS - MINUTE);
    expect(at('b').running()).toEqual([]);
    await town.advance(3 * MINUTE);
    const [next] = at('b').running();
    const { attempt = '', epoch = 0 } = old?.request ?? {};
    expect(next?.request).toMatchObject({
      bead: id,
      epoch: epoch + 1,
      resumeRefs: [`refs/gt/rescue/${id}/${attempt}`, `refs/gt/attempts/${id}/${String(epoch)}`],
    });
    // The lost one finishes all the same: late evidence, which changes nothing.
    at('a').done(attempt, sha(50));
    at('a').silent = false;
    await town.settle();
    expect(await show(town, id)).toMatchObject({ status: 'in_progress' });
    at('b').done(next?.request.attempt ?? '', sha(60));
    at('b').exit(next?.request.attempt ?? '');
    await town.settle();
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(60) } });
    expect([...town.runner.pushed, ...at('a').pushed, ...at('b').pushed]).toHaveLength(1);
  });

  it('that is away for a moment is asked itself about the work that it has; nobody else refuses it', async () => {
    const { town, at, id } = await claimedAtOneThatIsCut();
    await town.advance(10_000);
    const verifies = (id_: 'a' | 'b'): number =>
      [...at(id_).jobs.values()].filter((job) => job.kind === 'verify').length;
    expect([verifies('a'), verifies('b') + town.runner.jobs.size > 0]).toEqual([0, true]);
    at('a').silent = false;
    await town.service.runners.seen('a', { instance: 'rn-a', capacity: 2, labels: [], versions: {} });
    await town.advance(MINUTE);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(40) } });
    expect([at('a').processes.size, at('b').processes.size]).toEqual([1, 0]);
  });

  it('that does not come back within the takeover deadline with work that nobody has gives it to another agent', async () => {
    const { town, at, id } = await claimedAtOneThatIsCut();
    await town.advance(TAKEOVER_AFTER_MS - MINUTE);
    expect(at('b').running()).toEqual([]);
    await town.advance(5 * MINUTE);
    expect(
      at('b')
        .running()
        .map((process) => process.request.bead),
    ).toEqual([id]);
  });

  it('that is removed after the takeover leaves no order behind', async () => {
    const { town, at, others } = await openTwo();
    await town.service.createBead(newBead('one'), human);
    await town.settle();
    at('a').silent = true;
    await town.service.runners.away('a', 'suspect', 'its line was cut');
    await town.advance(TAKEOVER_AFTER_MS + 2 * MINUTE);
    const pending = () =>
      town.databases.get('rig/api')?.inner.all(`SELECT key FROM outbox WHERE state = 'pending' AND kind = 'stop'`);
    expect(pending()).toHaveLength(1);
    others.delete('a');
    await town.service.runners.remove('a', true);
    await town.settle();
    expect(pending()).toEqual([]);
  });

  it('that is removed takes back what an attempt that never ran there was expected to cost', async () => {
    const { town, at, others } = await openTwo();
    at('a').silent = true;
    at('b').silent = true;
    const { id } = await town.service.createBead(newBead('one'), human);
    await town.settle();
    await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: '' }, human);
    await town.settle();
    const spent = () => town.databases.get('rig/api')?.inner.all('SELECT micro_usd FROM spending WHERE micro_usd > 0');
    expect(spent()).not.toEqual([]);
    for (const runner of ['a', 'b']) {
      others.delete(runner);
      await town.service.runners.remove(runner, true);
    }
    await town.settle();
    expect(spent()).toEqual([]);
  });

  it('may not tell of what another one has', async () => {
    const { town, at } = await openTwo();
    const { id } = await town.service.createBead(newBead('one'), human);
    await town.settle();
    const [process] = at('a').running();
    const { attempt = '', epoch = 0 } = process?.request ?? {};
    at('a').done(attempt, sha(70));
    await town.service.recordFacts(at('a').facts.splice(0), 'b');
    await town.settle();
    expect(await show(town, id)).toMatchObject({ status: 'in_progress' });
    const confirm = (runner: string) =>
      town.service.confirmStart({ rig: trusted.rig('api'), attempt: trusted.attempt(attempt), epoch, runner });
    expect([await confirm('a'), await confirm('b')]).toEqual([true, false]);
  });

  it('that may have a job is told when nobody waits for its gates any more', async () => {
    const { town, at } = await openTwo({
      runtime: 'command',
      command: 'agent',
      gates: [{ name: 'test', run: 'true', timeoutMs: MINUTE }],
    });
    for (const runner of [town.runner, at('a'), at('b')])
      runner.judge = (job) => (job.kind === 'gates' ? null : defaultResult(job));
    const { id } = await town.service.createBead(newBead('one'), human);
    await town.settle();
    const { attempt = '' } = at('a').running()[0]?.request ?? {};
    at('a').done(attempt, sha(80));
    at('a').exit(attempt);
    await town.settle();
    await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: '' }, human);
    await town.settle();
    for (const runner of [town.runner, at('a'), at('b')])
      expect(runner.calls.filter((call) => call.startsWith('cancel gates:'))).toHaveLength(1);
  });

  it('that a person calls lost gives its work away at once', async () => {
    const { town, at, others } = await openTwo();
    await town.service.createBead(newBead('one'), human);
    await town.settle();
    await expect(town.service.runners.remove('a', false)).rejects.toMatchObject({ code: 'runner_has_work' });
    others.delete('a');
    await town.service.runners.remove('a', true);
    await town.settle();
    await town.advance(MINUTE);
    expect(at('b').running()).toHaveLength(1);
    expect((await town.service.runners.list()).map((runner) => runner.id)).toEqual(['b', 'local']);
  });

  it('that missed three questions gets nothing new, until it answers again over the same line', async () => {
    const { town, at } = await openTwo();
    await town.service.createBead(newBead('one'), human);
    await town.settle();
    expect(at('a').running()).toHaveLength(1);
    const states = async () => (await town.service.runners.list()).map((runner) => `${runner.id} ${runner.state}`);
    at('b').silent = true;
    await town.advance(3 * WATCHDOG_INTERVAL_MS + MINUTE);
    expect(await states()).toContain('b down');
    at('b').silent = false;
    await town.advance(WATCHDOG_INTERVAL_MS + MINUTE);
    expect(await states()).toContain('b healthy');
    await town.service.createBead(newBead('two'), human);
    await town.settle();
    expect(at('b').running()).toHaveLength(1);
  });

  it('that nobody fits is said, and waited for', async () => {
    const { town, at } = await openTwo({ runnerLabels: ['gpu'] });
    const { id } = await town.service.createBead(newBead('one'), human);
    await town.settle();
    expect(at('a').running()).toEqual([]);
    expect((await town.service.why(id)).sentence).toContain('no runner has the labels gpu');
    await town.service.runners.seen('b', { instance: 'rn-b', capacity: 2, labels: ['gpu'], versions: {} });
    await town.settle();
    expect(at('b').running()).toHaveLength(1);
  });
});
