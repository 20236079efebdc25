import { Graph as Layout, layout } from '@dagrejs/dagre';
import { useMemo, type ReactNode } from 'react';
import type { ConvoyDetailItem } from '../../src/api/contract/convoys.ts';

const WIDTH = 190;
const HEIGHT = 46;
const GAP = 24;
const TITLE_CHARS_MAX = 24;

type Row = ConvoyDetailItem['beads'][number];

interface Box {
  readonly x: number;
  readonly y: number;
}

function place(beads: readonly Row[]) {
  const graph = new Layout();
  graph.setGraph({ rankdir: 'LR', nodesep: GAP, ranksep: 2 * GAP });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const bead of beads) graph.setNode(String(bead.position), { width: WIDTH, height: HEIGHT });
  const edges = beads.flatMap((bead) => bead.depends_on.map((from) => [from, bead.position] as const));
  for (const [from, to] of edges) graph.setEdge(String(from), String(to));
  layout(graph);
  const boxes = new Map<number, Box>();
  for (const bead of beads) {
    const { x, y } = graph.node(String(bead.position)) as Box;
    boxes.set(bead.position, { x: x - WIDTH / 2, y: y - HEIGHT / 2 });
  }
  return { boxes, edges };
}

/** The dependencies from left to right. A picture only: the table beside it says the same. */
export function Graph({ convoy }: { readonly convoy: ConvoyDetailItem }): ReactNode {
  const shape = JSON.stringify(convoy.beads.map((bead) => [bead.position, bead.depends_on]));
  const { boxes, edges } = useMemo(() => place(convoy.beads), [shape]);
  const all = [...boxes.values()];
  const width = Math.max(0, ...all.map((box) => box.x)) + WIDTH + 2;
  const height = Math.max(0, ...all.map((box) => box.y)) + HEIGHT + 2;
  return (
    <div className="card overflow-x-auto" tabIndex={0} role="region" aria-label="Graph of the convoy">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`${convoy.beads.length} beads and what they wait for; the table below says the same`}
      >
        {edges.map(([from, to]) => {
          const [a, b] = [boxes.get(from), boxes.get(to)];
          if (a === undefined || b === undefined) return null;
          const [x1, y1, x2, y2] = [a.x + WIDTH, a.y + HEIGHT / 2, b.x, b.y + HEIGHT / 2];
          return (
            <path
              key={`${from} ${to}`}
              d={`M${x1} ${y1} C${x1 + GAP} ${y1} ${x2 - GAP} ${y2} ${x2} ${y2}`}
              fill="none"
              stroke="var(--soft)"
            />
          );
        })}
        {convoy.beads.map((bead) => {
          const box = boxes.get(bead.position);
          if (box === undefined) return null;
          const phase = (bead.bead?.phase ?? bead.status).replaceAll('_', ' ');
          return (
            <g key={bead.position} transform={`translate(${box.x} ${box.y})`}>
              <rect width={WIDTH} height={HEIGHT} rx="4" fill="var(--ground)" stroke="var(--line)" />
              <text x="8" y="19" fontSize="13" fill="var(--ink)">
                {bead.title.length > TITLE_CHARS_MAX ? `${bead.title.slice(0, TITLE_CHARS_MAX)}…` : bead.title}
              </text>
              <text x="8" y="37" fontSize="13" fill="var(--soft)">
                {bead.rig}: {phase}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}
