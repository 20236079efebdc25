import { readFileSync } from 'node:fs';
import { transferAnswerSchema } from '../api/contract/transfer.ts';
import type { TransferDoor } from '../api/handlers/transfer.ts';
import { precondition, TownError, usage } from '../core/errors.ts';
import { errorOf } from './town-client.ts';

const TOKEN_VARIABLE = 'GT_TOWN_TOKEN';
/** A step reads or writes a piece; longer means that nobody answers. */
const STEP_TIMEOUT_MS = 60_000;
/** Each step may be repeated, so a lost answer costs another try: about half a minute in all. */
const TRIES = 6;
const WAIT_MS = 1_000;

export const isAddress = (text: string): boolean => /^https?:\/\//i.test(text);

/** Errors: `bad_address`, `insecure_address`. */
function addressOf(text: string): URL {
  if (!URL.canParse(text))
    throw usage('bad_address', `${JSON.stringify(text)} is no address.`, 'Write https://…', 'town');
  const url = new URL(text);
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !isLoopback)
    throw usage(
      'insecure_address',
      `${url.origin} is not encrypted: the owner's token and all of the town could be read on the way.`,
      'Use https, or a tunnel to loopback.',
      'town',
    );
  return url;
}

/** The owner's token of a town elsewhere. Never an argument: those are seen by everybody. Errors: `no_token`. */
function tokenOf(file: string | undefined, env: NodeJS.ProcessEnv): string {
  const token = (file === undefined ? env[TOKEN_VARIABLE] : readFileSync(file, 'utf8'))?.trim() ?? '';
  if (token !== '') return token;
  throw precondition(
    'no_token',
    'That town asks for the token of its owner, and none was given.',
    `Give it with --token-file <file>, or in ${TOKEN_VARIABLE}.`,
  );
}

/** One end of a move that is a town elsewhere. Errors: those of the town; `no_answer`. */
export function remoteDoor(address: string, tokenFile: string | undefined, env: NodeJS.ProcessEnv): TransferDoor {
  const url = new URL('/api/v1/towns/_/transfer', addressOf(address));
  const token = tokenOf(tokenFile, env);
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
