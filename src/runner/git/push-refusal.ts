import { ERROR_CHARS_MAX } from '../limits.ts';
import type { GitOutput } from './git.ts';

/** What a host says of a ref that it did not take, in the lines of `git push --porcelain`. */
const REJECTED = /^!\t[^\t]*\t\[remote rejected\] \((.*)\)$/m;
/** Reasons that pass by themselves: others at the same ref, a host that is short of something or could not ask its own parts. */
const PASSING =
  /(?:cannot|failed to|unable to) lock|incorrect old value|failed to update ref|unpacker error|atomic|internal (?:server|api) error|api (?:is not accessible|unreachable)|timed out|no space/i;
/** Who answers questions about the repository and takes no push says so in one of these ways. */
const NO_RIGHT =
  /permission to \S+ denied|permission denied|returned error: 40[13]|authentication failed|could not read (?:username|password)|marked as read.only|read.only (?:repository|access)|not allowed to (?:push|upload)|access denied|insufficient permission|write access .*not granted/i;

/**
 * The host's own words when it refuses a push for good: a hook, a protected branch, no right. Null: the push failed in a way
 * that may pass by itself. Only to be asked when the same host answers questions in that moment.
 */
export function refusalOf({ stdout, stderr }: Pick<GitOutput, 'stdout' | 'stderr'>): string | null {
  const reason = REJECTED.exec(stdout)?.[1] ?? null;
  if (reason !== null) return PASSING.test(`${reason} ${stderr}`) ? null : said(stderr, reason);
  return NO_RIGHT.test(stderr) ? said(stderr, null) : null;
}

/** Lines of the host itself come first; git's own are left out where the host said something. */
function said(stderr: string, reason: string | null): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const remote = lines.filter((line) => line.startsWith('remote:')).map((line) => line.slice('remote:'.length).trim());
  const own = (remote.length > 0 ? remote : reason === null ? lines : []).filter((line) => line !== '').join(' ');
  return `${own}${reason === null ? '' : `${own === '' ? '' : ' '}(${reason})`}`.slice(0, ERROR_CHARS_MAX);
}
