/** Thrown when our own code broke a promise to itself. Never thrown for input from outside. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Stops the current transaction when `condition` is false: a bug in this program, not an operating error. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Returns `value`, or stops when it is missing although the caller knows that it exists. */
export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new AssertionError(message);
  return value;
}

/** Ends an exhaustive switch: adding a variant without handling it no longer compiles. */
export function unreachable(value: never, what: string): never {
  throw new AssertionError(`unhandled ${what}: ${JSON.stringify(value)}`);
}
