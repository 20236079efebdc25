import { describe, expect, it } from 'vitest';
import { BEAD_KINDS, BEAD_STATUSES, BEAD_TYPES, isTerminal, type BeadKind, type BeadType } from './model/bead.ts';
import { AGENT_TRANSITIONS, allows, beadTransitions, CONVOY_TRANSITIONS } from './transitions.ts';

const beadTables = BEAD_TYPES.flatMap((type) =>
  BEAD_KINDS.map((kind) => [`${type} ${kind}`, beadTransitions(type, kind)] as const),
);
const tables = [...beadTables, ['agent', AGENT_TRANSITIONS] as const, ['convoy', CONVOY_TRANSITIONS] as const];

/** What can be reached from a status in any number of steps. */
function reach(table: readonly { readonly from: string; readonly to: string }[], from: string): ReadonlySet<string> {
  const seen = new Set([from]);
  for (const status of seen) for (const row of table) if (row.from === status) seen.add(row.to);
  return seen;
}

describe('the transition tables', () => {
  it.each(tables)('%s: names each change once, says when, and no status follows itself', (_name, table) => {
    const pairs = table.map((row) => `${row.from} ${row.to}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    for (const row of table) {
      expect(row.from).not.toBe(row.to);
      expect(row.when).not.toBe('');
    }
  });

  it.each(beadTables)('%s: what is closed or failed stays so, and everything else can end', (_name, table) => {
    for (const status of BEAD_STATUSES) {
      if (isTerminal(status)) expect(table.filter((row) => row.from === status)).toEqual([]);
      else if (table.some((row) => row.from === status || row.to === status))
        expect([...reach(table, status)].some((to) => to === 'closed')).toBe(true);
    }
  });

  it('only work is given to agents: a landing and a merge request are not', () => {
    const begins = (type: BeadType, kind: BeadKind): readonly string[] =>
      beadTransitions(type, kind).flatMap((row) => (row.from === 'open' ? [row.to] : []));
    expect(begins('issue', 'landing')).toEqual(['in_review', 'closed']);
    expect(begins('issue', 'revert')).toContain('in_review');
    expect(begins('issue', 'task')).not.toContain('in_review');
    expect(begins('issue', 'rework')).not.toContain('in_review');
    expect(begins('merge_request', 'task')).toEqual(['in_progress', 'closed', 'failed']);
  });

  it('a convoy that landed, failed or was cancelled stays so', () => {
    for (const status of ['landed', 'failed', 'cancelled'] as const)
      expect(CONVOY_TRANSITIONS.filter((row) => row.from === status)).toEqual([]);
  });

  it('every status of an agent leads back to idle, but retirement does not', () => {
    for (const status of ['starting', 'working', 'waiting', 'stalled', 'stopping', 'unknown'])
      expect(reach(AGENT_TRANSITIONS, status).has('idle')).toBe(true);
    expect(AGENT_TRANSITIONS.filter((row) => row.from === 'dead')).toEqual([]);
  });

  it('allows nothing that is not in the table', () => {
    expect(allows(beadTransitions('issue', 'task'), 'open', 'in_review')).toBe(false);
    expect(allows(beadTransitions('issue', 'rework'), 'in_progress', 'in_review')).toBe(false);
    expect(allows(beadTransitions('merge_request', 'task'), 'in_progress', 'in_review')).toBe(false);
    expect(allows(AGENT_TRANSITIONS, 'starting', 'idle')).toBe(false);
    expect(allows(CONVOY_TRANSITIONS, 'active', 'landed')).toBe(false);
  });
});
