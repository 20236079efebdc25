import { transferAnswerSchema } from '../api/contract/transfer.ts';
import type { TransferDoor } from '../api/handlers/transfer.ts';
import { TownError } from '../core/errors.ts';
import type { RemotePlace } from '../hosts/node/remote-place.ts';
import { errorOf } from './town-client.ts';

/** A step reads or writes a piece; longer means that nobody answers. */
const STEP_TIMEOUT_MS = 60_000;
/** Each step may be repeated, so a lost answer costs another try: about half a minute in all. */
const TRIES = 6;
const WAIT_MS = 1_000;

/** One end of a move that is a town elsewhere. Errors: those of the town; `no_answer`. */
export function remoteDoor({ url: address, token }: RemotePlace): TransferDoor {
  const url = new URL('/api/v1/towns/_/transfer', address);
  const ask = async (body: string): Promise<unknown> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(STEP_TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return transferAnswerSchema.parse(JSON.parse(text)).value;
    throw errorOf({ status: response.status, text });
  };
  return async (step) => {
    const body = JSON.stringify(step);
    for (let tries = 1; ; tries += 1) {
      try {
        return await ask(body);
      } catch (error) {
        if (tries >= TRIES || !mayPass(error)) throw asAnswer(error, url);
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS * tries));
      }
    }
  };
}

const mayPass = (error: unknown): boolean =>
  !(error instanceof TownError) || error.kind === 'busy' || (error.kind === 'internal' && error.code === 'failed');

const asAnswer = (error: unknown, url: URL): unknown =>
  error instanceof TownError
    ? error
    : new TownError('unreachable', 'no_answer', {
        message: `${url.origin} does not answer: ${error instanceof Error ? error.message : String(error)}.`,
        next: 'Run the same command again when it does: it goes on where it stopped.',
      });
