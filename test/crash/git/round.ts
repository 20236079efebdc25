/**
 * A round of the merge train with real git: three entries that came into line while one before them was tested, one of
 * them red, so that lists are split. The trap counts from the moment at which the first may land: merges, gates, pushes,
 * and the rework of the culprit.
 */
import { rmSync, writeFileSync } from 'node:fs';
import type { Priority } from '../../../src/core/model/bead.ts';
import type { BeadId } from '../../../src/core/model/ids.ts';
import type { BeadDetail } from '../../../src/core/queries.ts';
import type { GitBrain } from './brain.ts';
import { fileOf, type Life, memberOf, redFirst, write } from './histories.ts';
import type { Judge } from './judge.ts';

export interface RoundStage {
  readonly brain: GitBrain;
  readonly judge: Judge;
  /** While this file exists, gates wait. */
  readonly hold: string;
  readonly patienceMs: number;
  readonly sling: (title: string, recipe: string, priority?: Priority) => Promise<BeadId>;
  /** From here on commands count. */
  readonly arm: () => void;
  /** Nobody works, and no more than so many orders are under way. */
  readonly isQuiet: (orders: number) => boolean;
  readonly hasPassed: (tree: string) => boolean;
}

/** Slung second, and first in line by its priority: each list that is tested holds it until it is found. */
const CULPRIT = 1;

/** What does not hold at the end; or the beads that never came there. */
export async function liveRound(
  life: Life,
  stage: RoundStage,
): Promise<string[] | { readonly stuck: readonly BeadId[] }> {
  const { brain, judge } = stage;
  const before = judge.target();
  writeFileSync(stage.hold, '');
  const front = await stage.sling(`front ${life.id}`, write(life));
  const stepsAre = async (ids: readonly BeadId[], step: string): Promise<true | null> => {
    const details = await Promise.all(ids.map((id) => brain.service.getBead(id)));
    return details.every(({ review }) => review?.step === step) ? true : null;
  };
  const isFront = await brain.until(() => stepsAre([front], 'gating'), stage.patienceMs);
  const lives = [0, 1, 2].map((place) => memberOf(life, place));
  const members: BeadId[] = [];
  for (const [place, member] of lives.entries()) {
    const [recipe, priority] =
      place === CULPRIT ? ([redFirst(member), 'high'] as const) : ([write(member), 'medium'] as const);
    members.push(await stage.sling(`life ${member.id}`, recipe, priority));
  }
  // One order is under way then: the gates that wait.
  const isInLine = await brain.until(
    async () => ((await stepsAre(members, 'queued')) === true && stage.isQuiet(1) ? true : null),
    stage.patienceMs,
  );
  if (isInLine !== null) stage.arm();
  rmSync(stage.hold);
  const all = [front, ...members];
  if (isFront === null || isInLine === null) return { stuck: all };
  const ended = await brain.until(async () => {
    const details = await Promise.all(all.map((id) => brain.service.getBead(id)));
    return details.every(({ status }) => ['closed', 'failed'].includes(status)) && stage.isQuiet(0) ? details : null;
  }, stage.patienceMs);
  if (ended === null) return { stuck: all };
  return [
    ...[life, ...lives].flatMap((one, index) => {
      const detail = ended[index];
      return detail === undefined ? [] : judge.merged(one, before, detail);
    }),
    ...(await blameOf(brain, ended, lives)),
    ...judge.neverBroken(before, stage.hasPassed),
    ...judge.repositories(),
  ];
}

/** The culprit, and nobody else, was given back, once, with the words of its gate. */
async function blameOf(brain: GitBrain, ended: readonly BeadDetail[], lives: readonly Life[]): Promise<string[]> {
  const wrong: string[] = [];
  const [culprit, culpritLife] = [ended[CULPRIT + 1], lives[CULPRIT]];
  for (const { id, reworkBeads } of ended)
    if (reworkBeads.length !== (id === culprit?.id ? 1 : 0))
      wrong.push(`${id} was given back ${String(reworkBeads.length)} times`);
  const rework = culprit?.reworkBeads[0];
  if (rework === undefined || culpritLife === undefined) return wrong;
  const { body } = await brain.service.getBead(rework);
  if (!body.includes(`${fileOf(culpritLife)}:red`)) wrong.push(`${rework} does not hold the log of the gate: ${body}`);
  return wrong;
}
