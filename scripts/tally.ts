/** What a set of steps came to. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** Each failure in one line: the test's full name or the file, and the first line of what went wrong. */
  readonly failures: readonly string[];
  /** Full names of the tests that did not run; they are printed, never silently dropped. */
  readonly skipped: readonly string[];
}

export const emptyTally: Tally = { passed: 0, failed: 0, failures: [], skipped: [] };

/** Characters of a failure's first line: enough to tell two failures apart in a log of which only the end is kept. */
const MESSAGE_CHARS = 200;

interface Case {
  readonly status?: unknown;
  readonly fullName?: unknown;
}

function list(holder: unknown, key: string): readonly unknown[] {
  if (typeof holder !== 'object' || holder === null || !(key in holder)) return [];
  const value: unknown = Reflect.get(holder, key);
  return Array.isArray(value) ? value : [];
}

function isCase(value: unknown): value is Case {
  return typeof value === 'object' && value !== null;
}

function firstLine(message: unknown): string {
  const line = typeof message === 'string' ? message.split('\n', 1)[0] : undefined;
  return line === undefined || line === '' ? 'no message' : line.slice(0, MESSAGE_CHARS);
}

/** The failures of one file. One that has none, and failed all the same, could not be loaded: that is one failure. */
function failuresOf(file: Case): readonly string[] {
  const cases = list(file, 'assertionResults').filter(isCase);
  const failed = cases
    .filter((one) => one.status === 'failed')
    .map((one) => `${String(one.fullName)}: ${firstLine(list(one, 'failureMessages')[0])}`);
  if (failed.length > 0 || file.status !== 'failed') return failed;
  return [`${String(Reflect.get(file, 'name'))}: ${firstLine(Reflect.get(file, 'message'))}`];
}

/** Counts the cases of vitest's JSON report. A non-zero exit that nothing in the report explains is one failure. */
export function tally(report: unknown, exit: number): Tally {
  const files = list(report, 'testResults').filter(isCase);
  const cases = files.flatMap((file) => list(file, 'assertionResults').filter(isCase));
  const explained = files.flatMap(failuresOf);
  const failures =
    explained.length === 0 && exit !== 0
      ? [`ended with exit code ${String(exit)} and no failed test: see its output for an error outside of the tests`]
      : explained;
  const skipped = cases
    .filter((one) => one.status !== 'passed' && one.status !== 'failed')
    .map((one) => String(one.fullName));
  return {
    passed: cases.filter((one) => one.status === 'passed').length,
    failed: failures.length,
    failures,
    skipped,
  };
}

/** A step that is one program: it counts as one. */
export function programTally(exit: number): Tally {
  if (exit === 0) return { ...emptyTally, passed: 1 };
  return { ...emptyTally, failed: 1, failures: [`ended with exit code ${String(exit)}`] };
}

export function withStep(total: Tally, step: Tally): Tally {
  return {
    passed: total.passed + step.passed,
    failed: total.failed + step.failed,
    failures: [...total.failures, ...step.failures],
    skipped: [...total.skipped, ...step.skipped],
  };
}

export function tallyLine(total: Tally): string {
  return `${total.passed} passed, ${total.failed} failed`;
}
