/** The merge train over a whole town with real git: a red one among eight, and people who push to its target meanwhile. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, until } from './cli-support.ts';

const run = promisify(execFile);
const WAIT_MS = 100_000;

interface Convoy {
  readonly id: string;
  readonly status: string;
  readonly beads: readonly { readonly id: string; readonly close_reason: string | null; readonly merge_sha: string }[];
}
interface Bead {
  readonly rework_beads: readonly string[];
  readonly body: string;
  readonly review: { readonly step: string; readonly gate_log: string | null } | null;
}

const place = new Place();
const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', place.path('town')]);
const git = (...args: readonly string[]): string =>
  execFileSync('git', ['--git-dir', place.path('app.git'), ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
/** Runs of the gate so far. */
const runs = (): number => (existsSync(place.path('runs')) ? lines(place.read('runs')).length : 0);

beforeAll(async () => {
  const origin = place.origin('app');
  git('config', 'core.logAllRefUpdates', 'always');
  // While `hold` is there, a run waits until it is let go by its number: the train stands and its line grows.
  const gate = [
    `echo run >>${place.path('runs')}`,
    `n=$(($(wc -l <${place.path('runs')})))`,
    `while [ -e ${place.path('hold')} ] && [ ! -e ${place.path('free')}-$n ]; do sleep 0.02; done`,
    `! grep -H '^red$' *.txt`,
  ].join('; ');
  await place.gt(['init', 'town']);
  await json('rig', 'add', 'app', origin, '--gate', `check=${gate}`, '--polecats-max', '9');
  await json('up');
}, WAIT_MS);

afterAll(async () => {
  rmSync(place.path('hold'), { force: true });
  await place.gt(['down', '--town', place.path('town')]);
  place.remove();
}, WAIT_MS);

/** Beads of one plan, each with a file of its own. */
function plan(
  names: readonly string[],
  recipe = (name: string): string => `echo ${name} >${name}.txt`,
): Promise<Convoy> {
  const tasks = names.map(
    (name) =>
      `[[tasks]]\nid = "${name}"\nrig = "app"\ntitle = "Add ${name}"\nbody = """\n\`\`\`gt-script\n${recipe(name)}\n\`\`\`\n"""\n`,
  );
  const first = names[0] ?? '';
  return json<Convoy>('convoy', 'create', first, '--file', place.file(`${first}.toml`, tasks.join('\n')));
}

const show = (id: string): Promise<Convoy> => json<Convoy>('convoy', 'show', id);
const stepOf = async (id: string): Promise<string> => (await json<Bead>('bead', 'show', id)).review?.step ?? '';
const landed = (id: string): Promise<Convoy> =>
  until(
    async () => {
      const now = await show(id);
      return now.status === 'landed' ? now : null;
    },
    `${id} landed`,
    WAIT_MS,
  );

/** A bead whose gate waits, so that those that come after it stand in line together. */
async function front(name: string): Promise<Convoy> {
  place.file('hold', '');
  const convoy = await plan([name]);
  await until(async () => ((await stepOf(convoy.beads[0]?.id ?? '')) === 'gating' ? true : null), 'a gate', WAIT_MS);
  return convoy;
}

const inLine = (convoy: Convoy): Promise<true> =>
  until(
    async () => {
      const { items } = await json<{ items: readonly { place: number | null }[] }>('mq');
      return items.filter((entry) => entry.place !== null).length === convoy.beads.length ? true : null;
    },
    'all in line',
    WAIT_MS,
  );

/** Each bead was merged once, by a commit of its own, and the target never held what its gate refuses. */
function expectWhole(convoys: readonly Convoy[]): void {
  for (const { id, merge_sha } of convoys.flatMap(({ beads }) => beads)) {
    expect(lines(git('log', '--format=%H', '--merges', `--grep=^Gt-Bead: ${id}$`, 'main'))).toEqual([merge_sha]);
  }
  for (const commit of lines(git('reflog', 'show', '--format=%H', 'refs/heads/main')))
    expect(() => git('grep', '-q', '^red$', commit, '--', '*.txt')).toThrow();
  expect(git('fsck', '--full', '--no-dangling', '--no-progress')).toBe('');
}

describe('the merge train with real git', () => {
  it(
    'lands seven of eight when one is red, gives that one its log, and then lands it too',
    async () => {
      const mend = place.path('mend');
      const first = await front('front');
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      const eight = await plan(names, (name) =>
        name === 'f'
          ? `if [ "$GT_ROUND" = 0 ]; then echo red >f.txt; else while [ ! -e ${mend} ]; do sleep 0.02; done; echo f >f.txt; fi`
          : `echo ${name} >${name}.txt`,
      );
      await inLine(eight);
      expect(runs()).toBe(1);
      rmSync(place.path('hold'));
      const seven = await until(
        async () => {
          const { beads } = await show(eight.id);
          return beads.filter((bead) => bead.close_reason === 'merged').length === 7 ? beads : null;
        },
        'seven that landed',
        WAIT_MS,
      );
      const culprit = seven.find((bead) => bead.close_reason === null)?.id ?? '';
      const given = await until(
        async () => {
          const bead = await json<Bead>('bead', 'show', culprit);
          return bead.review?.step === 'reworking' ? bead : null;
        },
        'the culprit in rework',
        WAIT_MS,
      );
      expect(given.review?.gate_log).toContain('f.txt:red');
      expect(given.rework_beads).toHaveLength(1);
      expect((await json<Bead>('bead', 'show', given.rework_beads[0] ?? '')).body).toContain('f.txt:red');
      // The front's own, then eight, four, two, one, itself again, and the rest: no more than one run for each.
      expect(runs()).toBeLessThanOrEqual(1 + names.length);
      place.file('mend', '');
      const end = await landed(eight.id);
      for (const name of names) expect(git('show', `main:${name}.txt`)).toBe(name);
      expectWhole([await show(first.id), end]);
    },
    WAIT_MS,
  );

  it(
    'loses nobody when two people push by hand to its target while it runs',
    async () => {
      let isOver = false;
      const first = await front('early');
      const names = ['p', 'q', 'r', 's', 't', 'u'];
      const train = await plan(names);
      await inLine(train);
      const people = [await person('ann'), await person('bob')];
      // What a run tests was merged onto what the target held before they pushed: its push must lose.
      const begun = runs();
      for (let lost = 0; lost < RACES_LOST; lost += 1) {
        const run = begun + lost;
        await until(() => (runs() === run ? true : null), 'a run of the gate', WAIT_MS);
        const before = git('rev-parse', 'main');
        for (const push of people) await push();
        expect(git('log', '--format=%s', `${before}..main`)).not.toContain('Merge');
        place.file(`free-${String(run)}`, '');
      }
      rmSync(place.path('hold'));
      const pushing = people.map(async (push) => {
        for (let pushed = 0, seen = runs(); pushed < PUSHES && !isOver; pushed += 1) {
          await push();
          await until(() => (runs() > seen || isOver ? true : null), 'a run of the gate', WAIT_MS);
          seen = runs();
        }
      });
      const end = await landed(train.id);
      isOver = true;
      await Promise.all(pushing);
      expect(lines(git('log', '--format=%s', '--grep=^by hand: ', 'main')).toSorted()).toEqual(handed.toSorted());
      expect(handed.length).toBeGreaterThan(2 * RACES_LOST);
      for (const name of names) expect(git('show', `main:${name}.txt`)).toBe(name);
      expectWhole([await show(first.id), end]);
    },
    WAIT_MS,
  );
});

/** So often both push while a run is held. */
const RACES_LOST = 3;
/** Pushes of each person at most while the train runs free. */
const PUSHES = 4;
/** Subjects of what people have pushed. */
const handed: string[] = [];

/** A person with a clone, who commits and pushes each time; who loses a race takes what is new and tries again. */
async function person(name: string): Promise<() => Promise<void>> {
  const clone = place.path(name);
  const mine = (...args: readonly string[]): Promise<unknown> =>
    run('git', ['-C', clone, '-c', `user.name=${name}`, '-c', `user.email=${name}@example.com`, ...args], {
      env: place.env(),
    });
  await run('git', ['clone', '-q', place.path('app.git'), clone], { env: place.env() });
  let count = 0;
  return async () => {
    count += 1;
    const what = `${name}-${String(count)}`;
    place.file(`${name}/${what}.md`, `${what}\n`);
    await mine('add', '-A');
    await mine('commit', '-q', '-m', `by hand: ${what}`);
    await until(
      async () => {
        await mine('pull', '-q', '--rebase');
        return mine('push', '-q').then(
          () => true,
          () => null,
        );
      },
      `the push of ${what}`,
      WAIT_MS,
    );
    handed.push(`by hand: ${what}`);
  };
}
