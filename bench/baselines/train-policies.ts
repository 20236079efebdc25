/** Merge trains as others run them. None runs a red test again, except where its name says so. */
import { Line, type Score, type World } from '../train-world.ts';

type Policy = (world: World) => Score;

const until = (world: World, round: (line: Line) => void): Score => {
  const line = new Line(world);
  while (line.score.landed < world.landings && line.score.rounds < 100 * world.landings) round(line);
  return line.score;
};

const oneByOne =
  (runs: number): Policy =>
  (world) =>
    until(world, (line) => {
      const [entry] = line.front(1);
      if (entry === undefined) return;
      for (let run = 0; run < runs; run += 1) {
        line.score.rounds += 1;
        if (line.isGreen([entry])) {
          line.land([entry]);
          return;
        }
      }
      line.giveBack(entry);
    });

/** One entry after the other. */
export const serial: Policy = oneByOne(1);
/** One entry after the other, and a red one once more before it is given back, as ours does. */
export const serialTwice: Policy = oneByOne(2);

/** A batch is tested as one; red, its first half is, down to one entry. */
const halvingOf =
  (batch: number, retries: number): Policy =>
  (world) =>
    until(world, (line) => {
      let suspects = line.front(batch);
      const test = (entries: typeof suspects): boolean => {
        for (let tries = 0; tries <= (entries.length === batch ? retries : 0); tries += 1) {
          line.score.rounds += 1;
          if (line.isGreen(entries)) return true;
        }
        return false;
      };
      if (test(suspects)) {
        line.land(suspects);
        return;
      }
      let passed: typeof suspects = [];
      while (suspects.length > 1) {
        const half = suspects.slice(0, Math.ceil(suspects.length / 2));
        if (test([...passed, ...half])) {
          passed = [...passed, ...half];
          suspects = suspects.slice(half.length);
        } else suspects = half;
      }
      line.land(passed);
      for (const entry of suspects) line.giveBack(entry);
    });

export const halving: Policy = (world) => halvingOf(world.batch, 0)(world);
export const batchOfFive: Policy = halvingOf(5, 1);

/** Each lane tests one entry with all before it; the first that is red is given back, and those behind it start anew. */
export const window: Policy = (world) =>
  until(world, (line) => {
    const front = line.front(world.lanes);
    line.score.rounds += 1;
    const greens = front.map((_entry, index) => line.isGreen(front.slice(0, index + 1)));
    const red = greens.indexOf(false);
    line.land(front.slice(0, red === -1 ? front.length : red));
    const culprit = front[red];
    if (culprit !== undefined) line.giveBack(culprit);
  });
