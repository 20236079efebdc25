import type { ConvoyDetailItem } from '../../api/contract/convoys.ts';
import type { Context } from '../context.ts';
import { paint, plain, span, state, table } from '../output.ts';
import type { TownClient } from '../town-client.ts';
import { segment } from '../town-client.ts';

/** Often enough to look alive, rare enough to cost nothing. */
const LOOK_EVERY_MS = 200;
/** The demo takes seconds; a convoy that is not there after this long is stuck, and says why. */
const DEMO_LIMIT_MS = 5 * 60_000;

const TERMINAL = new Set(['landed', 'failed', 'cancelled']);

/** Follows a convoy until it ends: rows in place on a terminal, one line per change in a pipe. */
export async function watchConvoy(context: Context, client: TownClient, id: string): Promise<ConvoyDetailItem> {
  const startedMs = Date.now();
  const view = context.style.terminal && !context.json ? liveRows(context) : plainLines(context);
  for (;;) {
    const convoy = await client.get<ConvoyDetailItem>(`convoys/${segment(id)}`);
    const sinceMs = Date.now() - startedMs;
    view(convoy, sinceMs);
    if (TERMINAL.has(convoy.status) || sinceMs > DEMO_LIMIT_MS) return convoy;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

type View = (convoy: ConvoyDetailItem, sinceMs: number) => void;
type Row = ConvoyDetailItem['beads'][number];

const phaseOf = (row: Row): string => row.bead?.phase ?? row.status;

function liveRows(context: Context): View {
  let drawn = 0;
  return (convoy, sinceMs) => {
    const rows = convoy.beads.map((row) => [
      row.id ?? '-',
      row.rig,
      state(context.style, phaseOf(row)),
      row.bead?.agent ?? '',
      row.title,
    ]);
    const head = `${paint(context.style, 'bold', convoy.id)}  ${state(context.style, convoy.status)}  ${String(convoy.closed_beads)}/${String(convoy.total_beads)}  ${span(Math.max(1_000, sinceMs))}`;
    const lines = [head, ...table(context.style, ['ID', 'RIG', 'STATE', 'AGENT', 'TITLE'], rows).split('\n')];
    const up = drawn === 0 ? '' : `\u001B[${String(drawn)}A`;
    context.write(up + lines.map((line) => `\u001B[2K${line}\n`).join(''));
    drawn = lines.length;
  };
}

function plainLines(context: Context): View {
  const before = new Map<string, string>();
  return (convoy, sinceMs) => {
    for (const row of convoy.beads) {
      const key = String(row.position);
      const now = phaseOf(row);
      if (before.get(key) === now) continue;
      before.set(key, now);
      context.hint(
        `${(sinceMs / 1_000).toFixed(1).padStart(5)}s  ${(row.id ?? '-').padEnd(11)} ${now.replaceAll('_', ' ').padEnd(12)} ${plain(row.title)}`,
      );
    }
  };
}
