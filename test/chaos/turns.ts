/** Turns of agents, from the ledger that they keep: none lost, doubled or taken away without a kill that explains it. */
import type { LedgerLine } from './ledger.ts';
import type { Kill } from './monkey.ts';
import type { Slung } from './work.ts';

/** Longest life of a recipe on a loaded machine: its pauses, the meeting of a pair, and git. */
const RECIPE_MS_MAX = 60_000;
/** An agent that was made just before its runner died writes its first line as an orphan, before the sweep finds it. */
const ORPHAN_MS_MAX = 2_000;

export function judgeTurns(lines: readonly LedgerLine[], slung: readonly Slung[], kills: readonly Kill[]): string[] {
  const problems = lines
    .filter(({ event }) => event === 'double' || event === 'term' || event === 'unexpected')
    .map(({ event, attempt, label }) => `the ledger says "${event}" of attempt ${attempt} (${label})`);
  const runnerKills = kills.filter(({ target }) => target === 'runner').map(({ atMs }) => atMs);
  const ended = new Set(lines.filter(({ event }) => event === 'end').map(({ attempt }) => attempt));
  const starts = byBead(lines.filter(({ event }) => event === 'start'));
  for (const tries of starts.values()) problems.push(...judgeTries(tries, ended, runnerKills));
  for (const { id, bead } of slung) if (!starts.has(id)) problems.push(`${bead.label} (${id}) never ran`);
  return problems;
}

function byBead(starts: readonly LedgerLine[]): ReadonlyMap<string, readonly LedgerLine[]> {
  const groups = new Map<string, LedgerLine[]>();
  for (const start of starts) groups.set(start.bead, [...(groups.get(start.bead) ?? []), start]);
  return groups;
}

/** The tries of one bead, oldest first: only a kill of the runner ends one early, or makes another one. */
function judgeTries(
  tries: readonly LedgerLine[],
  ended: ReadonlySet<string>,
  runnerKills: readonly number[],
): readonly string[] {
  const problems: string[] = [];
  const killBetween = (from: number, to: number): boolean =>
    runnerKills.some((atMs) => atMs >= from - ORPHAN_MS_MAX && atMs <= to);
  for (const [index, one] of tries.entries()) {
    const name = `attempt ${one.attempt} of ${one.bead} (${one.label})`;
    if (tries.some((other, at) => at > index && other.attempt === one.attempt)) problems.push(`${name} ran twice`);
    if (!ended.has(one.attempt) && !killBetween(one.atMs, one.atMs + RECIPE_MS_MAX))
      problems.push(`${name} never ended, and no runner was killed under it`);
    const next = tries[index + 1];
    if (next !== undefined && !killBetween(one.atMs, next.atMs))
      problems.push(`${name} was followed by ${next.attempt}, and no runner was killed between them`);
  }
  const last = tries.at(-1);
  if (last !== undefined && !ended.has(last.attempt)) problems.push(`the last attempt of ${last.bead} did not end`);
  return problems;
}
