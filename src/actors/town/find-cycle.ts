/** The first cycle in a graph given as "node waits for these nodes", closed (its first node again at the end), or null. */
export function findCycle(edges: readonly (readonly number[])[]): readonly number[] | null {
  const state = new Map<number, 'open' | 'done'>();
  for (let start = 0; start < edges.length; start += 1) {
    const found = walk(edges, start, [], state);
    if (found !== null) return found;
  }
  return null;
}

function walk(
  edges: readonly (readonly number[])[],
  node: number,
  path: readonly number[],
  state: Map<number, 'open' | 'done'>,
): readonly number[] | null {
  if (state.get(node) === 'done') return null;
  if (state.get(node) === 'open') return [...path.slice(path.indexOf(node)), node];
  state.set(node, 'open');
  for (const next of edges[node] ?? []) {
    const found = walk(edges, next, [...path, node], state);
    if (found !== null) return found;
  }
  state.set(node, 'done');
  return null;
}
