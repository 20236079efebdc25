/** One thing that every host must do alike. The same function runs in Node and inside workerd, so it asserts by itself. */
export interface Case<Bench> {
  readonly name: string;
  readonly run: (bench: Bench) => unknown;
}

export interface CaseResult {
  readonly name: string;
  /** Null: it held. */
  readonly error: string | null;
}

/** What is compared by value; an object's prototype is the host's own matter. */
export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  const [left, right] = [show(actual), show(expected)];
  if (left !== right) throw new Error(`${what}: expected ${right}, got ${left}`);
}

/** What is thrown, or an error when nothing is. */
export function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown): unknown => {
    if (part instanceof Uint8Array) return { bytes: [...part] };
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export async function runCase<Bench>(one: Case<Bench>, bench: Bench): Promise<CaseResult> {
  try {
    await one.run(bench);
    return { name: one.name, error: null };
  } catch (error) {
    return { name: one.name, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}
