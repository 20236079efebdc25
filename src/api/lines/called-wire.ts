import type { RunnerGateway } from '../../ports/runner-gateway.ts';
import type { WireAnswer, WireCall } from '../contract/frames.ts';
import { bearerFor } from '../contract/runner-auth.ts';
import { verifierOf, type TownDoor } from './admission.ts';
import type { RunnerWire } from './wire-runner-client.ts';

const UNAUTHORIZED = 401;

export interface CallingTown extends Pick<TownDoor, 'town' | 'key'> {
  readonly gateway: () => Pick<RunnerGateway, 'serials' | 'rotated'>;
}

/** What is shown to a runner that listens, by a serial of its tokens. */
export const bearerToRunner = async (town: CallingTown, id: string, serial: string): Promise<string> =>
  bearerFor(await verifierOf(town, id, serial), id, 'to-runner');

/**
 * The line to a runner that listens. When it refuses its present token it is shown the one that was made last, which is
 * the present one from then on: such a runner calls nobody, so nothing else says that its file has the new one.
 * Errors: it was removed; those of `send`.
 */
export function calledWire(
  town: CallingTown,
  id: string,
  send: (bearer: string, call: WireCall) => Promise<WireAnswer>,
): RunnerWire {
  return async (call) => {
    const serials = await town.gateway().serials(id);
    if (serials === null) throw new Error('it was removed');
    const answer = await send(await bearerToRunner(town, id, serials.current), call);
    if (answer.status !== UNAUTHORIZED || serials.next === null) return answer;
    const again = await send(await bearerToRunner(town, id, serials.next), call);
    if (again.status >= 200 && again.status < 300) await town.gateway().rotated(id);
    return again;
  };
}
