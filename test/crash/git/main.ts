/**
 * Every git command of the runner, and of the agents beside it, as the last one before a kill: before it, after it, and
 * in the middle of its writes. `npm run git-points [-- --long | --most N] [--only TEXT] [--kind KIND]`: one kill per
 * history, N, or all. The last line gives the figures; exit code
 * 1 when work was stuck, lost, doubled or a repository broken.
 */
import { parseArgs } from 'node:util';
import { GIT_HISTORIES, type GitHistory, hasOwnTown } from './histories.ts';
import { type LifeEnd, Stage } from './stage.ts';
import { canKillInside, type Kill, type KillKind } from './wrapper.ts';

/** Kills per history in the short form. */
const SHORT_MOST = 1;
/** Commands that write nothing can't die in the middle of a write. */
const READS = new Set([
  'rev-parse',
  'rev-list',
  'cat-file',
  'merge-base',
  'for-each-ref',
  'ls-remote',
  'version',
  'status',
  'diff-index',
  'log',
  'count-objects',
]);
/** At the first byte, and after some. */
const BYTES: readonly number[] = [0, 150];
const RENAME_ORDERS: readonly number[] = [1, 2, 4];

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    kind: { type: 'string' },
    most: { type: 'string' },
  },
});
const inside = canKillInside();
if (!inside)
  console.log(
    'NOT RUN git killed inside of its commands (in a write, in a rename, on a full disk): strace or prlimit is missing',
  );

const total = { points: 0, stuck: 0, wrong: 0 };

function killsAt(at: number, command: string): readonly Kill[] {
  const kill = (kind: KillKind, arg = 0): Kill => ({ kind, at, arg });
  const around = [kill('before'), kill('after')];
  if (!inside || READS.has(command)) return around;
  return [
    ...around,
    ...BYTES.map((bytes) => kill('write', bytes)),
    ...RENAME_ORDERS.map((order) => kill('rename', order)),
    kill('full'),
  ];
}

function report(history: GitHistory, kill: Kill | null, end: LifeEnd): void {
  if (kill !== null && !end.struck) return;
  if (kill !== null) total.points += 1;
  if (end.stuck) total.stuck += 1;
  else if (end.wrong.length > 0) total.wrong += 1;
  if (!end.stuck && end.wrong.length === 0) return;
  const place =
    kill === null ? 'without a kill' : `${kill.kind} ${String(kill.arg)} at ${end.commands[kill.at - 1] ?? '?'}`;
  console.log(`${end.stuck ? 'STUCK' : 'WRONG'} ${history.name}, ${place}:`);
  for (const line of end.wrong) console.log(`  ${line.slice(0, 1_000)}`);
}

/** Evenly over all, and over all kinds: neighbours in the list are of different kinds. */
function some(history: GitHistory, commands: readonly string[]): readonly Kill[] {
  const kills = commands.flatMap((line, index) => killsAt(index + 1, line.split(' ')[1] ?? ''));
  const wanted = kills.filter(({ kind }) => values.kind === undefined || kind === values.kind);
  if (values.long) return wanted;
  const count = Math.min(Number(values.most ?? SHORT_MOST), wanted.length);
  return Array.from(
    { length: count },
    (_, index) => wanted[Math.floor(((index + 0.5) * wanted.length) / count)],
  ).filter((kill) => kill !== undefined);
}

/** A town that has its clone. */
async function warm(history: GitHistory): Promise<Stage> {
  const stage = await Stage.open(null, history);
  const [first] = GIT_HISTORIES;
  if (first !== undefined) report(first, null, await stage.live(first, null));
  return stage;
}

/** Lives that are not about the clone follow each other in one town, also those of the next history; a stuck one ends it. */
async function tell(history: GitHistory, town: Stage | null): Promise<Stage | null> {
  const began = performance.now();
  const isFresh = history.fresh === true;
  let stage = isFresh ? await Stage.open(null, history) : (town ?? (await warm(history)));
  try {
    const clean = await stage.live(history, null, isFresh);
    report(history, null, clean);
    const kills = some(history, clean.commands);
    let isOver = clean.stuck;
    for (const kill of kills) {
      if (isFresh || isOver) {
        await stage.close();
        stage = isFresh ? await Stage.open(kill, history) : await warm(history);
      }
      const end: LifeEnd = await stage.live(history, kill, isFresh);
      report(history, kill, end);
      isOver = end.stuck;
    }
    const took = `${String(Math.round((performance.now() - began) / 1_000))} s`;
    console.log(
      `${history.name}: ${String(clean.commands.length)} git commands, ${String(kills.length)} kills (${took})`,
    );
    if (!isFresh && !isOver) return stage;
  } catch (error) {
    await stage.close();
    throw error;
  }
  await stage.close();
  return isFresh ? town : null;
}

const isWanted = ({ name, isLong }: GitHistory): boolean =>
  values.only === '' ? isLong !== true || values.long || values.most !== undefined : name.includes(values.only);

let shared: Stage | null = null;
try {
  for (const history of GIT_HISTORIES.filter(isWanted)) {
    const isAlone = hasOwnTown(history);
    const left = await tell(history, isAlone ? null : shared);
    if (isAlone) await left?.close();
    else shared = left;
  }
} finally {
  await shared?.close();
}
console.log(
  `${String(total.points)} git crash points: ${String(total.stuck)} stuck, ${String(total.wrong)} with work lost, doubled or a repository broken`,
);
process.exitCode = total.stuck + total.wrong > 0 ? 1 : 0;
