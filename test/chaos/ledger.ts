/** What the recipes and the gate wrote down themselves; the town's databases are never asked. */
import { existsSync, readFileSync } from 'node:fs';

export interface LedgerLine {
  readonly atMs: number;
  readonly event: 'start' | 'end' | 'term' | 'double' | 'unexpected';
  readonly label: string;
  readonly source: string;
  readonly bead: string;
  readonly attempt: string;
  readonly kind: string;
}

export interface GateLine {
  readonly atMs: number;
  readonly green: boolean;
  readonly rig: string;
  readonly tree: string;
}

const EVENTS: readonly LedgerLine['event'][] = ['start', 'end', 'term', 'double', 'unexpected'];

export function readLedger(path: string): readonly LedgerLine[] {
  return linesOf(path).map((line) => {
    const [atMs = '', word = '', label = '', source = '', bead = '', attempt = '', kind = ''] = line.split(' ');
    const event = EVENTS.find((one) => one === word);
    if (event === undefined) throw new Error(`the ledger has a line that no recipe writes: ${line}`);
    return { atMs: Number(atMs), event, label, source, bead, attempt, kind };
  });
}

export function readGates(path: string): readonly GateLine[] {
  return linesOf(path).map((line) => {
    const [atMs = '', verdict = '', rig = '', tree = ''] = line.split(' ');
    return { atMs: Number(atMs), green: verdict === 'green', rig, tree };
  });
}

function linesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
