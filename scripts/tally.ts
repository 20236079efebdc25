/** What a set of steps came to. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** Full names of the tests that did not run; they are printed, never silently dropped. */
  readonly skipped: readonly string[];
}

export const emptyTally: Tally = { passed: 0, failed: 0, skipped: [] };

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

/**
 * Counts the cases of vitest's JSON report. A file that failed without a failed case (it could not be loaded) is one
 * failure, and so is a non-zero exit that nothing in the report explains.
 */
export function tally(report: unknown, exit: number): Tally {
  const files = list(report, 'testResults').filter(isCase);
  const perFile = files.map((file) => list(file, 'assertionResults').filter(isCase));
  const cases = perFile.flat();
  const passed = cases.filter((one) => one.status === 'passed').length;
  const failedCases = cases.filter((one) => one.status === 'failed').length;
  const brokenFiles = files.filter(
    (file, at) => file.status === 'failed' && perFile[at]?.every((one) => one.status !== 'failed') === true,
  ).length;
  const failed = failedCases + brokenFiles;
  const skipped = cases
    .filter((one) => one.status !== 'passed' && one.status !== 'failed')
    .map((one) => String(one.fullName));
  return { passed, failed: failed === 0 && exit !== 0 ? 1 : failed, skipped };
}

export function withStep(total: Tally, step: Tally): Tally {
  return {
    passed: total.passed + step.passed,
    failed: total.failed + step.failed,
    skipped: [...total.skipped, ...step.skipped],
  };
}

export function tallyLine(total: Tally): string {
  return `${total.passed} passed, ${total.failed} failed`;
}
