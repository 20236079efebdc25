import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RULES, RULES_NOT_MET } from './coverage.ts';
import { GitModel, PLAIN } from './git-model.ts';
import { hunt } from './plant.ts';
import { PLANTED } from './planted.ts';
import { FAULT_KINDS, makePlan } from './plan.ts';
import { Prng } from './prng.ts';
import { commandOf, planOf, run } from './run.ts';
import { Scheduler } from './scheduler.ts';

/** A run takes half a second on a free core; this leaves room for a busy machine. */
const TIMEOUT_MS = 120_000;

describe('a plan', () => {
  it('is the same for the same seed and large enough to mean something', () => {
    expect(makePlan(7)).toEqual(makePlan(7));
    expect(makePlan(7)).not.toEqual(makePlan(8));
    for (let seed = 1; seed <= 50; seed += 1) {
      const plan = makePlan(seed);
      expect(plan.faults.length).toBeGreaterThanOrEqual(11);
      expect(plan.people.filter((step) => step.kind === 'bead' || step.kind === 'convoy').length).toBeGreaterThan(10);
    }
    const kinds = new Set(
      Array.from({ length: 50 }, (_, seed) => makePlan(seed).faults)
        .flat()
        .map(({ kind }) => kind),
    );
    expect(kinds.size).toBe(FAULT_KINDS.length);
  });

  it('keeps only what a shrunk failure needs, and says how to repeat it', () => {
    const selection = { seed: 7, keep: ['p1', 'f2'] };
    const plan = planOf(selection);
    expect([...plan.people, ...plan.faults].map((step) => step.id)).toEqual(['p1', 'f2']);
    expect(commandOf(selection)).toBe('npm run sim -- --seed 7 --keep p1,f2');
  });
});

describe('the coverage table', () => {
  it('names every rule that writes into the journal, met or not', () => {
    const root = join(import.meta.dirname, '..', 'src');
    const written = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => /^(?:core\/rules|actors)\/.*(?<!\.test|why)\.ts$/.test(file))
      .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/\brule: '([a-z-]+)'/g)])
      .map(([, rule]) => rule ?? '');
    expect(new Set(written)).toEqual(new Set<string>([...RULES, ...RULES_NOT_MET.keys()]));
  });
});

describe('the planted bugs', () => {
  it('have each a place in the sources, so that none is passed over when those change', () => {
    const root = join(import.meta.dirname, '..', 'src');
    const lost = PLANTED.filter(({ file, find }) => !readFileSync(join(root, file), 'utf8').includes(find));
    expect(lost.map(({ name }) => name)).toEqual([]);
    expect(PLANTED.length).toBeGreaterThanOrEqual(35);
  });
});

describe('a run', () => {
  it(
    'is the same to the last line for the same seed',
    async () => {
      const first = await run({ seed: 3, keep: null }, true);
      const second = await run({ seed: 3, keep: null }, true);
      expect(second.lines).toEqual(first.lines);
      expect(second.hash).toBe(first.hash);
      expect(first.failure).toBeNull();
      expect(first.steps).toBeGreaterThan(500);
      expect(first.beads).toBeGreaterThanOrEqual(20);
      expect(first.faults).toBeGreaterThanOrEqual(10);
    },
    TIMEOUT_MS,
  );

  it(
    'finds a bug that was planted',
    async () => {
      const planted = PLANTED.find(({ name }) => name === 'dependents are not told') ?? null;
      expect(planted).not.toBeNull();
      expect((await hunt(planted, 20)).what).toContain('V6');
    },
    TIMEOUT_MS,
  );
});

describe('virtual time', () => {
  it('runs events in order of moment and number, and forgets cancelled ones', () => {
    const time = new Scheduler();
    const seen: string[] = [];
    const at = (ms: number, name: string): (() => void) =>
      time.after(ms, name, () => {
        seen.push(name);
      });
    at(20, 'c');
    at(10, 'a');
    const cancel = at(15, 'never');
    at(10, 'b');
    cancel();
    for (let event = time.next(); event !== null; event = time.next()) event.run();
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(time.nowMs).toBe(20);
    expect(time.foreground).toBe(0);
  });

  it('keeps hundreds of events in order', () => {
    const time = new Scheduler();
    const chance = new Prng('heap');
    for (let n = 0; n < 500; n += 1) time.after(chance.int(1_000), '', () => undefined);
    let last = -1;
    for (let event = time.next(); event !== null; event = time.next()) {
      expect(event.atMs).toBeGreaterThanOrEqual(last);
      last = event.atMs;
    }
  });
});

describe('the model of git', () => {
  it('knows ancestry, conflicts and what breaks the gates', () => {
    const git = new GitModel('x');
    const root = git.mustHead();
    const commit = (salt: string, parents: string[], over: Partial<typeof PLAIN> = {}): string =>
      git.commit({ ...PLAIN, ...over, parents, by: 'agent', bead: null, salt }).id;
    const left = commit('left', [root], { places: ['p'] });
    const right = commit('right', [root], { places: ['p'] });
    expect(git.conflicts(left, right)).toEqual(['p']);
    const merged = commit('merged', [left, right]);
    expect(git.conflicts(right, merged)).toEqual([]);
    expect(git.isAncestor(left, merged)).toBe(true);
    expect(git.isAncestor(merged, left)).toBe(false);
    const bad = commit('bad', [merged], { bad: true });
    expect(git.isRed(bad)).toBe(true);
    expect(git.isRed(commit('fix', [bad], { fixes: true }))).toBe(false);
  });
});
