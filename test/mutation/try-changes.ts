/**
 * One process that tries changes: it loads the changed sources and all tests of the core once, runs every test to see
 * which changes it reaches, then takes ids over IPC and answers each with what became of it.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type { CollectedTest } from './suite.ts';
import type { Outcome } from './summary.ts';
import type { Said } from './try-all.ts';

const root = join(import.meta.dirname, '..', '..');
const [workFile] = process.argv.slice(2);
if (workFile === undefined) throw new Error('a work file is missing');
const work: { readonly texts: Readonly<Record<string, string>>; readonly tests: readonly string[] } = JSON.parse(
  readFileSync(workFile, 'utf8'),
);

/** A change that is hit this much more often than the original is in a loop that does not end. */
const HITS_FACTOR = 100;

interface Switch {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: {
    readonly static: Readonly<Record<string, number>>;
    readonly perTest: Readonly<Record<string, Readonly<Record<string, number>>>>;
  };
}
/** Nobody listens any more once a process found the tests broken: then there is nothing left to do here. */
const say = (said: Said): void => void process.send?.(said, (error: Error | null) => error && process.exit(0));

const control: Switch = {};
Reflect.set(globalThis, '__stryker__', control);

const texts = new Map(Object.entries(work.texts).map(([file, text]) => [pathToFileURL(join(root, file)).href, text]));
const suiteUrl = pathToFileURL(join(import.meta.dirname, 'suite.ts')).href;
registerHooks({
  resolve: (name, context, next) => (name === 'vitest' ? { url: suiteUrl, shortCircuit: true } : next(name, context)),
  load: (url, context, next) => {
    const source = texts.get(url);
    return source === undefined ? next(url, context) : { format: 'module-typescript', source, shortCircuit: true };
  },
});

// The same inputs each time: a score that depends on chance says nothing. The first failure is enough.
fc.configureGlobal({ seed: 1, endOnFailure: true });

const suite: { readonly tests: readonly CollectedTest[] } = await import(suiteUrl);
for (const file of work.tests) await import(pathToFileURL(join(root, file)).href);

interface Timed extends CollectedTest {
  readonly ms: number;
}
/** Tests by the change that they reach, the quick ones first. */
const reached = new Map<string, Timed[]>();
const hits = new Map<string, number>();
for (const [index, test] of suite.tests.entries()) {
  control.currentTestId = String(index);
  const fromMs = performance.now();
  try {
    await test.run();
  } catch (error) {
    say({ type: 'broken', test: `${test.name}: ${error instanceof Error ? error.message : String(error)}` });
  }
  const timed = { ...test, ms: performance.now() - fromMs };
  for (const [id, count] of Object.entries(control.mutantCoverage?.perTest[String(index)] ?? {})) {
    reached.set(id, [...(reached.get(id) ?? []), timed]);
    hits.set(id, (hits.get(id) ?? 0) + count);
  }
}
control.currentTestId = undefined;
/** Made while a module loads. Taken now: what is tried later reaches things that nothing reaches by itself. */
const loading = new Set(Object.keys(control.mutantCoverage?.static ?? {}));
for (const list of reached.values()) list.sort((a, b) => a.ms - b.ms);

async function passes(test: CollectedTest): Promise<boolean> {
  try {
    await test.run();
    return true;
  } catch {
    return false;
  }
}

/** `spoiled`: the test that noticed the change fails without it too, so something in this process is not as it was. */
async function outcomeOf(id: string): Promise<Outcome | 'spoiled'> {
  const list = reached.get(id);
  if (list === undefined) return loading.has(id) ? 'unreached' : 'missed';
  control.activeMutant = id;
  control.hitCount = 0;
  control.hitLimit = (hits.get(id) ?? 0) * HITS_FACTOR;
  let noticedBy: CollectedTest | undefined;
  for (const test of list) {
    if (await passes(test)) continue;
    noticedBy = test;
    break;
  }
  control.activeMutant = undefined;
  if (noticedBy === undefined) return 'missed';
  return (await passes(noticedBy)) ? 'noticed' : 'spoiled';
}

process.on('message', (id) => {
  void outcomeOf(String(id)).then((outcome) => say({ type: 'tried', id: String(id), outcome }));
});
process.on('disconnect', () => process.exit(0));
say({ type: 'ready' });
