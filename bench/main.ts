/** Measures one goal: `npm run bench -- <name> [--json]`. Every bench prints its figures and, last, its ratio. */
import { parseArgs } from 'node:util';

import { GOALS } from './goals.ts';
import type { Bench, Result } from './result.ts';

/** By name, loaded when asked for; a new bench is a file and a line here. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import('./start.ts')).start,
  cli: async () => (await import('./cli.ts')).cli,
  tick: async () => (await import('./tick.ts')).tick,
  ingest: async () => (await import('./ingest.ts')).ingest,
  http: async () => (await import('./http.ts')).http,
  train: async () => (await import('./train.ts')).train,
  paths: async () => (await import('./paths.ts')).paths,
  merge: async () => (await import('./merge.ts')).merge,
  workspace: async () => (await import('./workspace.ts')).workspace,
  life: async () => (await import('./life.ts')).life,
  fleet: async () => (await import('./fleet.ts')).fleet,
  restart: async () => (await import('./restart.ts')).restart,
  dashboards: async () => (await import('./dashboards.ts')).dashboards,
  stream: async () => (await import('./stream.ts')).stream,
};

function show(result: Result): void {
  for (const [name, value] of Object.entries(result.figures)) console.log(`${name.padEnd(34)} ${value}`);
  const verdict = result.holds === null ? '' : result.holds ? ' — holds' : ' — MISSED';
  console.log(`goal: ${result.goal}${verdict}`);
  console.log(`ratio ${result.ratio.toFixed(2)} (${result.ratioOf})`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, rounds: { type: 'string' } },
  });
  const load = BENCHES[positionals[0] ?? ''];
  if (load === undefined) {
    console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--rounds n] [--json]\n`);
    for (const { id, what, bench, otherwise } of GOALS)
      console.error(`${id.padEnd(4)} ${what.padEnd(52)} ${bench === undefined ? (otherwise ?? '') : `bench ${bench}`}`);
    return 2;
  }
  const bench = await load();
  const result = await bench(values.rounds === undefined ? null : Number(values.rounds));
  if (values.json === true) console.log(JSON.stringify(result));
  else show(result);
  return 0;
}

process.exitCode = await main();
