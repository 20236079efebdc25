import type { Decision, RigAction } from '../../src/core/actions.ts';
import type { GateRun, JobResult } from '../../src/core/facts.ts';
import { newTrain, type Probe, type Train } from '../../src/core/model/train.ts';
import type { Bead } from '../../src/core/model/bead.ts';
import type { MergeStep } from '../../src/core/model/review.ts';
import { mergeStep } from '../../src/core/rules/merge-step.ts';
import type { ReviewFacts } from '../../src/core/view.ts';
import { rigConfig } from './rig-config.ts';
import { bead, beadId, commit, mergeRequest, NOW, review, rigView, type World } from './rig-view-builder.ts';

/** Rounds of several entries, named by letters, and what is decided about them as lines of text. */

const GATE = { name: 'test', run: 'true', timeoutMs: 1_000 };
const RED: GateRun = { name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail: 'red' };
const mrOf = (name: string) => beadId(`mr${name}`);
const shaOf = (name: string) => commit(20 + (name.codePointAt(0) ?? 0) - 97);

/** Entries by their letters, each on the one before it. */
export const entriesOf = (letters: string) =>
  letters.split('').map((name, at) => ({
    mergeRequest: mrOf(name),
    candidate: shaOf(name),
    tree: letters.slice(0, at + 1),
  }));

type Candidates = Extract<JobResult, { readonly result: 'candidate' }>;

/** What the merge of a round says: lists of letters that were made; `target` is the tree of the target itself. */
export const candidates = (lists: readonly string[], over: Partial<Candidates> = {}): Candidates => ({
  result: 'candidate',
  candidate: commit(20),
  tree: 'a',
  targetSha: commit(1),
  targetTree: 'target',
  made: lists.map((letters, list) => ({ list, entries: entriesOf(letters) })),
  ...over,
});

/** A list that is tested: `ab green`, ` red` for the target itself. */
export function probe(text: string, over: Partial<Probe> = {}): Probe {
  const [letters = '', state = 'running'] = text.split(' ');
  return {
    key: `gates:${letters}`,
    leader: mrOf('a'),
    entries: entriesOf(letters),
    targetSha: commit(1),
    commit: letters === '' ? commit(1) : shaOf(letters.at(-1) ?? ''),
    tree: letters === '' ? 'target' : letters,
    state: state as Probe['state'],
    run: state === 'red' ? RED : null,
    cached: false,
    ...over,
  };
}

export interface Round {
  readonly step: MergeStep;
  readonly letters: string;
  readonly result?: JobResult;
  readonly probes?: readonly Probe[];
  readonly lanes?: number;
  readonly gated?: boolean;
  readonly train?: Partial<Train>;
  /** By letter. */
  readonly reviews?: Readonly<Record<string, Partial<ReviewFacts>>>;
  readonly sources?: Readonly<Record<string, Partial<Bead>>>;
  readonly world?: Partial<World>;
}

/** What the rules decide about a round led by `a`, a line per action. */
export function decided(round: Round): string {
  const names = round.letters.split('');
  const sources = names.map((name) =>
    bead({ id: beadId(`task${name}`), status: 'in_review', ...round.sources?.[name] }),
  );
  const rows = sources.map((source, position) =>
    review(source, {
      beadId: mrOf(names[position] ?? ''),
      headSha: commit(10 + position),
      step: round.step,
      position,
      stepKey: position === 0 ? 'key' : null,
      result: position === 0 ? (round.result ?? null) : null,
      version: 3,
      ...round.reviews?.[names[position] ?? ''],
    }),
  );
  const requests = sources.map((source, place) =>
    mergeRequest(source, { id: mrOf(names[place] ?? ''), status: 'in_progress' }),
  );
  const view = rigView({
    config: rigConfig('api', {
      gates: round.gated === false ? [] : [GATE],
      merging: { batch: 8, lanes: round.lanes ?? 1, style: 'merge' },
    }),
    beads: [...sources, ...requests],
    reviews: rows,
    probes: round.probes ?? [],
    trains: round.train === undefined ? [] : [{ ...newTrain('main'), ...round.train }],
    ...round.world,
  });
  return mergeStep(view, mrOf('a'), NOW).decisions.flatMap(linesOf).join('\n');
}

const linesOf = ({ reason, actions }: Decision<RigAction>): readonly string[] => [reason, ...actions.map(lineOf)];

const short = (_key: string, value: unknown): unknown => {
  if (typeof value === 'number' && value >= NOW) return `+${String(value - NOW)}`;
  if (typeof value !== 'string') return value;
  return /^[0-9a-f]{40}$/.test(value) ? `c${String(Number.parseInt(value, 16))}` : value.replaceAll(/0{20,}/g, '');
};

function lineOf({ type, ...rest }: RigAction): string {
  if (type === 'order_probes') {
    const { leader, probes } = rest as Extract<RigAction, { readonly type: 'order_probes' }>;
    return [
      `order_probes ${leader}`,
      ...probes.map(
        (one) =>
          `  ${one.entries.map(({ mergeRequest: of }) => of).join(' ')} ${JSON.stringify({ ...one, entries: one.entries.length, job: one.job === null ? null : one.job.key }, short)}`,
      ),
    ].join('\n');
  }
  return `${type} ${JSON.stringify(rest, short)}`;
}
