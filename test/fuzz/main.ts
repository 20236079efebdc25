/**
 * Fuzz of the API from its OpenAPI document: `npm run fuzz -- [--runs n] [--seed s] [--daemon]`. Without `--daemon` the town is
 * in this process, on a virtual clock; with it a real daemon answers over HTTP.
 */
import { parseArgs } from 'node:util';
import { daemonSide } from './daemon-side.ts';
import { fuzz, EMPTIES_THE_TOWN, show, type Finding } from './run.ts';
import { virtualSide } from './virtual-side.ts';

/** A town grows with what it accepts; a fresh one now and then keeps a long run quick. */
const RUNS_A_TOWN = 1_000;
const FINDINGS_MAX = 20;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    daemon: { type: 'boolean' },
  },
});
const [runs, seed] = [Number(values.runs), Number(values.seed)];
const isReal = values.daemon === true;
const began = performance.now();
const tally = new Map<string, number>();
const accepted = new Set<string>();
const operations = new Set<string>();
const findings: Finding[] = [];
let calls = 0;
for (let at = 0; calls < runs && findings.length < FINDINGS_MAX; at += 1) {
  const side = await (isReal ? daemonSide() : virtualSide());
  const most = Math.min(RUNS_A_TOWN, runs - calls);
  const outcome = await fuzz(side, { runs: most, seed: seed + at, leaveOut: isReal ? EMPTIES_THE_TOWN : () => false });
  await side.close();
  calls += outcome.calls;
  console.error(`${String(calls)} calls, ${String(findings.length + outcome.findings.length)} findings`);
  for (const finding of outcome.findings) console.log(show(finding, seed + at));
  findings.push(...outcome.findings);
  for (const [code, count] of outcome.byCode) tally.set(code, (tally.get(code) ?? 0) + count);
  for (const name of outcome.accepted) accepted.add(name);
  for (const name of outcome.operations) operations.add(name);
}
const seconds = (performance.now() - began) / 1_000;
console.log(
  `${isReal ? 'a real daemon' : 'in process'}: ${String(calls)} calls of ${String(operations.size)} operations`,
);
console.log(`${seconds.toFixed(1)} s, ${String(findings.length)} findings, seeds from ${String(seed)}`);
console.log(
  [...tally]
    .toSorted((a, b) => b[1] - a[1])
    .map(([code, count]) => `${code} ${String(count)}`)
    .join(', '),
);
console.log(`never accepted: ${[...operations].filter((name) => !accepted.has(name)).join(', ') || 'none'}`);
process.exitCode = findings.length === 0 ? 0 : 1;
