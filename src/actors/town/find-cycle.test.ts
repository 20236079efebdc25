import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findCycle } from './find-cycle.ts';

const graph = fc
  .integer({ min: 0, max: 7 })
  .chain((size) =>
    fc.array(fc.array(fc.nat(Math.max(0, size - 1)), { maxLength: 3 }), { minLength: size, maxLength: size }),
  );

/** The slow way: a node that reaches itself. */
function isCyclic(edges: readonly (readonly number[])[]): boolean {
  return edges.some((_list, start) => {
    const seen = new Set(edges[start]);
    for (const node of seen) for (const next of edges[node] ?? []) seen.add(next);
    return seen.has(start);
  });
}

it('finds a cycle exactly when a node reaches itself', () => {
  fc.assert(
    fc.property(graph, (edges) => {
      expect(findCycle(edges) !== null).toBe(isCyclic(edges));
    }),
    { numRuns: 500 },
  );
});

it('answers a closed walk along edges that are there', () => {
  fc.assert(
    fc.property(graph, (edges) => {
      const cycle = findCycle(edges);
      if (cycle === null) return;
      expect(cycle.length).toBeGreaterThan(1);
      expect(cycle.at(-1)).toBe(cycle[0]);
      for (const [index, node] of cycle.slice(0, -1).entries()) expect(edges[node]).toContain(cycle[index + 1]);
    }),
  );
});

it('takes the largest plan: 500 tasks in one chain', () => {
  expect(findCycle(Array.from({ length: 500 }, (_, index) => (index === 499 ? [] : [index + 1])))).toBeNull();
  expect(findCycle(Array.from({ length: 500 }, (_, index) => [(index + 1) % 500]))).toHaveLength(501);
});
