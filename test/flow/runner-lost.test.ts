import { describe, expect, it } from 'vitest';
import { trusted } from '../../src/core/model/ids.ts';
import { defaultResult, sha } from '../support/fake-runner.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const SECOND = 1_000;

async function townWithBead(): Promise<VirtualTown> {
  const virtual = new VirtualTown();
  await virtual.service.start([rigConfig('api')]);
  await virtual.service.createBead(
    {
      rig: trusted.rig('api'),
      title: 'one',
      body: '',
      priority: 'medium',
      dependsOn: [],
      runtime: null,
      model: null,
      targetBranch: null,
      sling: true,
      pinnedAgent: null,
      parentId: null,
    },
    { actor: 'human/test', origin: 'human' },
  );
  await virtual.settle();
  return virtual;
}

async function replaceRunner(virtual: VirtualTown): Promise<void> {
  virtual.runner.instanceId = trusted.runner('runner-2');
  virtual.runner.silent = false;
  virtual.runner.judge = defaultResult;
  await virtual.service.runnerChanged('runner-2');
  await virtual.settle();
}

describe('a runner that was killed', () => {
  it('took its accepted jobs with it: the next one gets them at once, not at their poll', async () => {
    const virtual = await townWithBead();
    virtual.runner.judge = (job) => (job.kind === 'gates' ? null : defaultResult(job));
    const attempt = virtual.runner.running()[0]?.request.attempt ?? '';
    virtual.runner.done(attempt, sha(100));
    virtual.runner.exit(attempt);
    await virtual.settle();
    expect(virtual.runner.pushed).toEqual([]);
    await virtual.advance(SECOND);
    await replaceRunner(virtual);
    expect(virtual.runner.pushed).toHaveLength(1);
  });

  it('leaves no order in its back-off', async () => {
    const virtual = await townWithBead();
    const attempt = virtual.runner.running()[0]?.request.attempt ?? '';
    virtual.runner.done(attempt, sha(100));
    virtual.runner.exit(attempt);
    await virtual.service.recordFacts(virtual.runner.facts.splice(0));
    virtual.runner.silent = true;
    await virtual.advance(10 * SECOND);
    expect(virtual.runner.pushed).toEqual([]);
    await replaceRunner(virtual);
    expect(virtual.runner.pushed).toHaveLength(1);
  });
});
