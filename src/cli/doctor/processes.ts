import { runnerStatus, statusOf } from '../../hosts/node/daemon-control.ts';
import { readDesired, type Town } from '../../hosts/node/town-files.ts';
import { note, ok, problem, type Check } from './check.ts';

/** Whether the daemon and the runner are there as they should be. */
export async function processChecks(town: Town): Promise<readonly Check[]> {
  let status: ReturnType<typeof statusOf>;
  try {
    status = statusOf(town);
  } catch {
    // The configuration is wrong; its own check says so.
    return [];
  }
  const runner = await runnerStatus(town);
  const isMeantDown = readDesired(town.paths) === 'down';
  const checks: Check[] = [];
  if (status.running) checks.push(ok('daemon', `pid ${String(status.pid)} ${status.url ?? ''}`.trim()));
  else if (isMeantDown || status.state === null)
    checks.push(
      note('daemon', {
        what: 'not running',
        why: isMeantDown ? 'it was stopped by "gt down"' : 'it was never started',
        fix: 'gt up',
      }),
    );
  else
    checks.push(
      problem('daemon', {
        what: 'not running',
        why: status.state.running ? 'it ended uncleanly; a start recovers by itself' : 'it was stopped',
        fix: 'gt up',
      }),
    );
  if (runner.running) checks.push(ok('runner', `pid ${String(runner.pid)}, ${String(runner.agents)} agents`));
  else if (status.running)
    checks.push(
      problem('runner', {
        what: 'does not answer',
        why: 'no agent can run without it; the daemon starts it again by itself',
        fix: `tail -n 20 ${town.paths.runnerLog}`,
      }),
    );
  return checks;
}
