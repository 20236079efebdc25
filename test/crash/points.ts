/** Runs a history clean, then with one fault at each place it came by, and compares the ends. */
import { rigConfig } from '../support/virtual-town.ts';
import { canonical } from './canonical.ts';
import { CrashTown, FAULT_KINDS, type Fault, type FaultKind } from './crash-town.ts';
import { type History, Story, Stuck } from './story.ts';

export interface End {
  readonly lines: readonly string[];
  readonly town: CrashTown;
  /** Null: it came to its end. */
  readonly stuck: string | null;
}

/** One run. A history that comes to rest has no work left that nobody does. */
export async function tell(history: History, fault: Fault | null, forgetful = false): Promise<End> {
  const configs = Object.entries(history.rigs).map(([name, over]) => rigConfig(name, over));
  const town = await CrashTown.open(configs, fault);
  if (forgetful)
    town.onDeath = (virtual) => {
      virtual.tampered = true;
      for (const { inner } of virtual.databases.values()) inner.all(`DELETE FROM outbox WHERE state = 'pending'`);
    };
  let stuck: string | null = null;
  try {
    const story = new Story(town);
    await history.tell(story);
    await story.rest();
  } catch (error) {
    if (!(error instanceof Stuck) && !forgetful) throw new Error(`struck at ${String(town.struck)}`, { cause: error });
    stuck = error instanceof Error ? error.message : String(error);
  }
  return { lines: canonical(town.virtual), town, stuck };
}

export interface Difference {
  readonly history: string;
  readonly kind: FaultKind;
  readonly at: number;
  readonly place: string;
  readonly what: string;
}

export interface Figures {
  readonly points: Readonly<Record<FaultKind, number>>;
  readonly stuck: readonly Difference[];
  readonly different: readonly Difference[];
}

function firstDifference(clean: readonly string[], other: readonly string[]): string {
  const missing = clean.filter((line) => !other.includes(line));
  const extra = other.filter((line) => !clean.includes(line));
  if (missing.length === 0 && extra.length === 0) return 'a line more or fewer of the same';
  return [...missing.map((line) => `  - ${line}`), ...extra.map((line) => `  + ${line}`)].join('\n');
}

export interface Selection {
  /** At most so many places of each kind, spread evenly; null: all of them. */
  readonly most: number | null;
  /** Die again so many places after each restart. */
  readonly again?: number;
  /** Compare with a program that forgets its effects when it dies. */
  readonly forgetful?: boolean;
  readonly kinds?: readonly FaultKind[];
}

/** Indices below `places`, at most `most` of them, with even distances. */
function spread(places: number, most: number | null): readonly number[] {
  const count = most === null ? places : Math.min(places, most);
  return Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * places) / count));
}

export async function strike(history: History, selection: Selection): Promise<Figures> {
  const clean = await tell(history, null);
  if (clean.stuck !== null) throw new Error(`${history.name} is stuck without any fault: ${clean.stuck}`);
  const points: Record<FaultKind, number> = { crash: 0, lost: 0, twice: 0, full: 0 };
  const stuck: Difference[] = [];
  const different: Difference[] = [];
  for (const kind of selection.kinds ?? FAULT_KINDS) {
    for (const at of spread(clean.town.places[kind].length, selection.most)) {
      const again = selection.again === undefined ? {} : { again: selection.again };
      const end = await tell(history, { kind, at, ...again }, selection.forgetful);
      points[kind] += 1;
      const found = { history: history.name, kind, at, place: end.town.struck ?? 'nowhere' };
      if (end.stuck !== null) stuck.push({ ...found, what: end.stuck });
      else if (end.lines.join('\n') !== clean.lines.join('\n'))
        different.push({ ...found, what: firstDifference(clean.lines, end.lines) });
    }
  }
  return { points, stuck, different };
}
