import { CALL_TIMEOUT_MS, WireRunnerClient } from '../../api/lines/wire-runner-client.ts';
import type { HostPorts, RunnerLines } from '../../ports/host.ts';
import { remote, type Ask } from './rpc.ts';
import type { TownTarget } from './town-app.ts';

/** Beyond the town's own bound, for the way there and back. */
const ASK_TIMEOUT_MS: number = CALL_TIMEOUT_MS + 2_000;

/** Runners as another object of the town reaches them: through the town's object, which has the lines. */
export function runnersOfTown(ask: Ask, ports: Pick<HostPorts, 'after'>): RunnerLines {
  const town = remote<Pick<TownTarget, 'callRunner'>>(ask);
  return {
    client: (id) =>
      new WireRunnerClient(
        (call) => within(town.callRunner(id, call), ports),
        () => null,
      ),
  };
}

/** A town's object that hangs would hold the place of an effect for ever. */
function within<T>(work: Promise<T>, ports: Pick<HostPorts, 'after'>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = ports.after(ASK_TIMEOUT_MS, () => {
      reject(new Error('the town does not answer'));
    });
    work.then(resolve, reject).finally(cancel);
  });
}
