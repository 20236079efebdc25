/** Short lives of a bead with real git. Each file name is the life's own, so that lives can follow each other in one town. */
import type { MergeStyle } from '../../../src/core/facts.ts';

export interface Life {
  /** Names the life's files. */
  readonly id: string;
  /** Exists once somebody else has pushed. */
  readonly flag: string;
}

export interface GitHistory {
  readonly name: string;
  /** What the agents of the bead do. */
  readonly recipe: (life: Life) => string;
  /** Pushed to the target by somebody else while the first agent works; it waits for the flag. */
  readonly meanwhile?: (life: Life) => Readonly<Record<string, string>>;
  /** Three of these that stand in line together; of the second the first try is red (`round.ts`). */
  readonly round?: true;
  /** The rig's merge style, where it is not the usual one: such lives have a town of their own. */
  readonly style?: MergeStyle;
  /** The rig merges by pull requests at a fake code host over the same origin: such lives have a town of their own. */
  readonly pull?: true;
  /** Not in the short form. */
  readonly isLong?: true;
  /** A new town each time, so that the clone itself is among the commands. */
  readonly fresh?: boolean;
  /** Subjects of commits and names of files that must be in some ref of the clone at the end: work that was rescued. */
  readonly kept?: (life: Life) => { readonly subject: string; readonly file: string };
}

/** A member of a round has a name, and a file, of its own. */
export const memberOf = (life: Life, place: number): Life => ({ ...life, id: `${life.id}-${String(place)}` });
export const fileOf = (life: Life): string => `life-${life.id}.txt`;
export const textOf = (life: Life): string => `work ${life.id}\n`;
export const write = (life: Life, text = `work ${life.id}`): string => `echo '${text}' >'${fileOf(life)}'`;

/** While a file of this name is in the stage's folder, gates wait: the train stands and its line grows. */
export const HOLD = 'hold';
/** The gate of the rig that all lives share. */
export const gateOf = (folder: string): string =>
  `while [ -e '${folder}/${HOLD}' ]; do sleep 0.02; done; ! grep -H '^red$' life-*.txt`;

/** Its gate is red until it was reworked. */
export const redFirst = (life: Life): string =>
  `if [ "$GT_ROUND" = 0 ]; then ${write(life, 'red')}; else ${write(life)}; fi`;

/** Works until somebody else has pushed the same file, and merges that when it is asked to. */
const resolves = (life: Life): string =>
  [
    `while [ ! -e '${life.flag}' ]; do sleep 0.02; done`,
    `if [ "$GT_KIND" = conflict ]; then git merge -q "$GT_TARGET_SHA" || true; fi`,
    write(life),
    'git add -A',
    `git commit -q -m 'life ${life.id}' || true`,
  ].join('\n');

/** A rig of its own: its way of merging is not the usual one. */
export const hasOwnTown = ({ style, pull }: GitHistory): boolean => style !== undefined || pull === true;

export const GIT_HISTORIES: readonly GitHistory[] = [
  { name: 'the first bead of a rig, with its clone', fresh: true, recipe: (life) => write(life) },
  { name: 'a bead from sling to merge', recipe: (life) => write(life) },
  { name: 'a red gate and its rework', recipe: redFirst },
  { name: 'a round of three, one of them red', round: true, recipe: (life) => write(life) },
  {
    name: 'a conflict and its resolution',
    recipe: resolves,
    meanwhile: (life) => ({ [fileOf(life)]: `other ${life.id}\n` }),
  },
  {
    name: 'work that fails once, with a commit, a change and a stash to rescue',
    recipe: (life) =>
      [
        `if [ ! -e '${life.flag}' ]; then`,
        `echo first >'first-${life.id}.txt'; git add -A; git commit -q -m 'first ${life.id}'`,
        `echo stashed >>'first-${life.id}.txt'; git stash -q; echo loose >'loose-${life.id}.txt'`,
        `: >'${life.flag}'; exit 3`,
        'fi',
        write(life),
      ].join('\n'),
    kept: (life) => ({ subject: `first ${life.id}`, file: `loose-${life.id}.txt` }),
  },
  { name: 'a bead with a pull request', pull: true, recipe: (life) => write(life) },
  {
    name: 'a pull request whose gate is red, and its rework',
    pull: true,
    isLong: true,
    recipe: redFirst,
  },
  {
    name: 'a pull request that conflicts, and its resolution',
    pull: true,
    isLong: true,
    recipe: resolves,
    meanwhile: (life) => ({ [fileOf(life)]: `other ${life.id}\n` }),
  },
  { name: 'a squashed bead', style: 'squash', isLong: true, recipe: (life) => write(life) },
  {
    name: 'a squashed round of three, one of them red',
    round: true,
    style: 'squash',
    isLong: true,
    recipe: (life) => write(life),
  },
  { name: 'a rebased bead', style: 'rebase', recipe: (life) => write(life) },
];
