/** Which beads are slung: most stand alone, some conflict, some go red once, some wait for others across rigs. */
export const RIGS: readonly string[] = ['alpha', 'beta'];

export interface ChaosBead {
  readonly label: string;
  readonly rig: string;
  readonly style: 'own' | 'pair' | 'red';
  /** The bead that changes the same place, and the list that both change. */
  readonly other: string | null;
  readonly shared: string | null;
  /** How long its agent works. */
  readonly seconds: number;
  /** Labels. */
  readonly dependsOn: readonly string[];
  readonly convoy: boolean;
}

export interface ChaosPlan {
  readonly beads: readonly ChaosBead[];
  readonly pairs: readonly string[];
}

export type Random = () => number;

/** Small, seeded, good enough to choose what to kill (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const WORK_SECONDS_MIN = 0.3;
const WORK_SECONDS_MAX = 2.5;

export function makePlan(count: number, random: Random): ChaosPlan {
  const seconds = (): number => WORK_SECONDS_MIN + random() * (WORK_SECONDS_MAX - WORK_SECONDS_MIN);
  const rigOf = (index: number): string => RIGS[index % RIGS.length] ?? '';
  const plain = (label: string, rig: string): ChaosBead => ({
    label,
    rig,
    style: 'own',
    other: null,
    shared: null,
    seconds: seconds(),
    dependsOn: [],
    convoy: false,
  });
  const pairs = Array.from({ length: Math.max(1, Math.floor(count / 12)) }, (_, index) => `pair${String(index)}`);
  const beads: ChaosBead[] = pairs.flatMap((shared, index) => {
    const rig = rigOf(index);
    const sides = [`${shared}a`, `${shared}b`];
    return sides.map((label, side): ChaosBead => {
      const other = sides[1 - side] ?? null;
      return { ...plain(label, rig), style: 'pair', shared, other };
    });
  });
  for (let index = 0; index < Math.max(1, Math.floor(count / 16)); index += 1)
    beads.push({ ...plain(`red${String(index)}`, rigOf(index + 1)), style: 'red' });
  beads.push(...convoyBeads(Math.max(4, Math.floor(count / 4)), plain));
  for (let index = 0; beads.length < count; index += 1) beads.push(plain(`own${String(index)}`, rigOf(index)));
  return { beads, pairs };
}

/** Each waits for the one before it in the other rig, every third also for the one before that. */
function convoyBeads(count: number, plain: (label: string, rig: string) => ChaosBead): ChaosBead[] {
  return Array.from({ length: count }, (_, index) => {
    const before = [index - 2, ...(index % 3 === 2 ? [index - 1] : [])].filter((place) => place >= 0);
    const shifted = (index + Math.floor(index / 2)) % RIGS.length;
    const dependsOn = before.map((place) => `convoy${String(place)}`);
    return { ...plain(`convoy${String(index)}`, RIGS[shifted] ?? ''), dependsOn, convoy: true };
  });
}
