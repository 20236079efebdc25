/** Words that stories about a virtual town are told in. */
import type { Caller, CreateBead, CreateConvoy, RigConfig } from '../../src/core/commands.ts';
import type { JobResult } from '../../src/core/facts.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { BeadDetail } from '../../src/core/queries.ts';
import { sha, type FakeProcess } from './fake-runner.ts';
import { rigConfig, VirtualTown } from './virtual-town.ts';

export const MINUTE = 60_000;
export const HOUR: number = 60 * MINUTE;
export const human: Caller = { actor: 'human/test', origin: 'human' };

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

export const newConvoy = (over: Partial<CreateConvoy>): CreateConvoy => ({
  title: 'convoy',
  tasks: [],
  beads: [],
  mergeMode: 'review-and-merge',
  onFailure: 'hold',
  staged: false,
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

export async function openTown(rigs: Readonly<Record<string, Partial<RigConfig>>> = { api: {} }): Promise<VirtualTown> {
  const town = new VirtualTown();
  await town.service.start(Object.entries(rigs).map(([name, over]) => rigConfig(name, over)));
  await town.settle();
  return town;
}

/** Slings one task and lets everything happen that is due. */
export async function sling(town: VirtualTown, title: string, over: Partial<CreateBead> = {}): Promise<BeadId> {
  const { id } = await town.service.createBead(newBead(title, over), human);
  await town.settle();
  return id;
}

/** The process that works on a bead now. */
export function processOf(town: VirtualTown, bead: BeadId): FakeProcess {
  const found = town.runner.running().find((process) => process.request.bead === bead);
  if (found === undefined) throw new Error(`nobody works on ${bead}`);
  return found;
}

/** Whoever works on the bead commits, calls done and leaves. */
export async function finish(town: VirtualTown, bead: BeadId, head = 100): Promise<void> {
  const { attempt } = processOf(town, bead).request;
  town.runner.done(attempt, sha(head));
  town.runner.exit(attempt);
  await town.settle();
}

/** Everybody who works commits, calls done and leaves. */
export async function finishAll(town: VirtualTown, head = 100): Promise<void> {
  for (const [index, process] of town.runner.running().entries()) {
    town.runner.done(process.request.attempt, sha(head + index));
    town.runner.exit(process.request.attempt);
  }
  await town.settle();
}

export const show = (town: VirtualTown, bead: BeadId): Promise<BeadDetail> => town.service.getBead(bead);

/** Reports the end of a job that was accepted before. */
export async function report(town: VirtualTown, kind: string, result: JobResult, rig = 'api'): Promise<void> {
  const job = [...town.runner.jobs.values()].findLast((row) => row.kind === kind);
  if (job === undefined) throw new Error(`no ${kind} was asked for`);
  town.runner.finish(job.key, rig, result);
  await town.settle();
}

export const actionsOf = async (town: VirtualTown): Promise<readonly string[]> =>
  (await town.service.feed(null, 10_000)).items.map((item) => item.action);

/** One number from a rig's database. */
export function count(town: VirtualTown, query: string, rig = 'api'): number {
  const row = town.databases.get(`rig/${rig}`)?.all(`SELECT COUNT(*) AS n FROM ${query}`)[0];
  return Number(row?.['n']);
}
