/** Words that stories of the bench are told in. */
import type { Caller, CreateBead, CreateConvoy } from '../../src/core/commands.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import { sha, type FakeProcess } from '../support/fake-runner.ts';
import type { TownBench } from './bench.ts';

export const person = (idempotencyKey?: string): Caller => ({ actor: 'human/bench', origin: 'human', idempotencyKey });

export const newBead = (title: string, over: Partial<CreateBead> = {}): CreateBead => ({
  rig: trusted.rig('api'),
  title,
  body: '',
  priority: 'medium',
  dependsOn: [],
  runtime: null,
  model: null,
  targetBranch: null,
  sling: true,
  pinnedAgent: null,
  parentId: null,
  ...over,
});

export const newTask = (
  rig: string,
  title: string,
  dependsOn: readonly (number | BeadId)[] = [],
): CreateConvoy['tasks'][number] => ({
  rig: trusted.rig(rig),
  title,
  body: '',
  priority: 'medium',
  runtime: null,
  model: null,
  dependsOn,
});

export const newConvoy = (over: Partial<CreateConvoy>): CreateConvoy => ({
  title: 'convoy',
  tasks: [],
  beads: [],
  mergeMode: 'review-and-merge',
  onFailure: 'hold',
  staged: false,
  ...over,
});

export function processOf(bench: TownBench, title: string): FakeProcess {
  const found = bench.runner.running().find(({ request }) => request.title === title);
  if (found === undefined) throw new Error(`nobody works on ${title}`);
  return found;
}

/** Whoever works on it commits, calls done and leaves. */
export async function finish(bench: TownBench, title: string): Promise<void> {
  const { attempt } = processOf(bench, title).request;
  bench.runner.done(attempt, sha(0x100 + bench.runner.processes.size));
  bench.runner.exit(attempt);
  await bench.settle();
}
