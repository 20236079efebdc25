/**
 * The dashboard in a real Chromium, against a real daemon with real agents (scripts). `--only <part of a name>` tells one,
 * `--screenshots <folder>` leaves pictures of the screens, `--require` fails where there is no Chromium.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findChromium, startBrowser } from './chromium.ts';
import { cases } from './cases.ts';
import type { World } from './page.ts';
import { Stage } from './stage.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    screenshots: { type: 'string' },
    /** As CI runs it. */
    short: { type: 'boolean', default: false },
    /** A machine without Chromium is a failure. */
    require: { type: 'boolean', default: false },
  },
});

/** What `scripts/run-steps.ts` takes for "not run". */
const NOT_RUN = 77;

/** Answers how many held; the names of the others are added to `failed`. */
async function runAll(world: World, failed: string[]): Promise<number> {
  let passed = 0;
  for (const one of cases(values.screenshots ?? null, values.short)) {
    if (values.only !== undefined && !one.name.includes(values.only)) continue;
    const beganMs = performance.now();
    try {
      const figure = await one.run(world);
      passed += 1;
      const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
      console.log(`ok ${one.name} (${seconds} s)${figure === undefined ? '' : `: ${figure}`}`);
    } catch (error) {
      failed.push(one.name);
      console.log(`FAILED ${one.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return passed;
}

async function main(): Promise<number> {
  const startedAtMs = performance.now();
  const program = findChromium();
  if (program === null) {
    console.log('NOT RUN web: there is no Chromium on this machine (apt-get install chromium)');
    return values.require ? 1 : NOT_RUN;
  }
  if (!existsSync('dist/web/index.html')) {
    console.log('FAILED the dashboard is not built: npm run build:web');
    return 1;
  }
  const stage = new Stage();
  const close: (() => Promise<void>)[] = [() => stage.close()];
  let passed = 0;
  const failed: string[] = [];
  try {
    await stage.open();
    const browser = await startBrowser(program);
    close.push(() => browser.close());
    console.log(`the town stands after ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`);
    passed = await runAll({ stage, browser }, failed);
  } finally {
    for (const end of close.toReversed()) await end();
  }
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  console.log(`web: ${String(passed)} passed, ${String(failed.length)} failed, ${seconds} s`);
  return failed.length === 0 && passed > 0 ? 0 : 1;
}

process.exitCode = await main();
