/**
 * Every place where the brain can die, in every history: `npm run crash-points [-- --long] [--only TEXT] [--baseline]`.
 * Short: five places of each kind per history. Long: every place (a hundred where
 * a history takes hours), and again with a second death soon after the first. The last line gives
 * the figures; exit code 1 when any run was stuck or ended otherwise than the clean one.
 */
import { parseArgs } from 'node:util';
import { HISTORIES } from './histories.ts';
import { TALK_HISTORIES } from './histories-talk.ts';
import { type Difference, strike, type Selection } from './points.ts';

const SHORT_MOST = 5;
/** Of a history of hours, whose places are mostly the same renewal of a lease. */
const SLOW_MOST = 100;
/** Second deaths: at once, and after a few commits of the restart. */
const AGAIN: readonly number[] = [0, 3];
const SHOWN_MAX = 10;

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    baseline: { type: 'boolean', default: false },
  },
});

const histories = [...HISTORIES, ...TALK_HISTORIES].filter(({ name }) => name.includes(values.only));
const total = { points: 0, stuck: 0, different: 0 };

function show(word: string, list: readonly Difference[]): void {
  for (const { history, kind, at, place, what } of list.slice(0, SHOWN_MAX))
    console.log(`${word} ${history}: ${kind} ${String(at)} at ${place}:\n${what}`);
}

async function count(selection: Selection): Promise<void> {
  for (const history of histories) {
    const began = performance.now();
    const figures = await strike(
      history,
      history.slow === true ? { ...selection, most: selection.most ?? SLOW_MOST } : selection,
    );
    const { crash, lost, twice, full } = figures.points;
    total.points += crash + lost + twice + full;
    total.stuck += figures.stuck.length;
    total.different += figures.different.length;
    const places = `${String(crash)} crashes, ${String(lost)} lost answers, ${String(twice)} facts told twice, ${String(full)} writes refused`;
    const ends = `${String(figures.stuck.length)} stuck, ${String(figures.different.length)} different`;
    console.log(`${history.name}: ${places}: ${ends} (${String(Math.round(performance.now() - began))} ms)`);
    if (values.baseline) continue;
    show('STUCK', figures.stuck);
    show('DIFFERENT', figures.different);
  }
}

const most = values.long ? null : SHORT_MOST;
if (values.baseline) await count({ most, forgetful: true, kinds: ['crash'] });
else {
  await count({ most });
  if (values.long) for (const again of AGAIN) await count({ most, again, kinds: ['crash'] });
}
console.log(
  `${String(total.points)} crash points in ${String(histories.length)} histories: ${String(total.stuck)} stuck, ${String(total.different)} different${values.baseline ? ' (a program that forgets its effects)' : ''}`,
);
process.exitCode = !values.baseline && total.stuck + total.different > 0 ? 1 : 0;
