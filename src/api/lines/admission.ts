/**
 * The town's side of the greeting of `contract/frames.ts`, on any host: who may connect, and with which of its tokens.
 * Both hosts say the same and refuse in the same order.
 */
import { NONCE_HEADER, PROOF_SCHEME, PROTOCOL_HEADER, RUNNER_HEADER, type Frame } from '../contract/frames.ts';
import { readFrame } from '../contract/link.ts';
import { PROTOCOL_OLDEST, PROTOCOL_VERSION } from '../contract/protocol.ts';
import { prove, sameText, tokenOf, type Greeting } from '../contract/runner-auth.ts';
import type { RunnerGateway } from '../../ports/runner-gateway.ts';

const CONNECT_PATH = /^\/api\/v1\/towns\/([^/?]+)\/runner\/connect(?:\?|$)/;
/** Shorter ones could be met twice. */
const NONCE_CHARS_MIN = 16;

export interface TownDoor {
  readonly town: string;
  /** The town's own secret, of which its runners' tokens are made. */
  readonly key: string;
  readonly serials: RunnerGateway['serials'];
}

/** A request to connect, as any HTTP server has it. */
export interface Knock {
  /** With its query. */
  readonly path: string;
  readonly header: (name: string) => string | null;
}

/** What a well-formed request says; nothing of it is proven yet. */
export interface Hello {
  readonly about: Greeting;
  readonly proof: string;
  readonly protocol: number;
}

/** A runner whose first proof was right. */
export interface Known {
  readonly about: Greeting;
  readonly verifier: string;
  /** Of the token that it showed. No secret. */
  readonly serial: string;
  /** The proof was made with the token that was made last. */
  readonly isNext: boolean;
}

/** Not found: another town, or another path. Unauthorized: not a proof of ours. Upgrade required: another protocol. */
export type Refusal = 404 | 401 | 426;

export const REFUSAL_TEXT: Readonly<Record<Refusal, string>> = {
  404: 'Not Found',
  401: 'Unauthorized',
  426: 'Upgrade Required',
};

export const isConnect = (path: string): boolean => CONNECT_PATH.test(path);

/** Reads a request without asking anybody, so that rubbish costs nothing. */
export function readHello(town: string, { path, header }: Knock): Hello | Exclude<Refusal, 426> {
  const named = CONNECT_PATH.exec(path)?.[1];
  if (named === undefined || (named !== '_' && named !== town)) return 404;
  const runner = header(RUNNER_HEADER);
  const runnerNonce = header(NONCE_HEADER);
  const [scheme, proof] = (header('authorization') ?? '').split(' ');
  if (runner === null || runnerNonce === null || runnerNonce.length < NONCE_CHARS_MIN || scheme !== PROOF_SCHEME)
    return 401;
  return {
    about: { town, runner, runnerNonce, townNonce: '' },
    proof: proof ?? '',
    protocol: Number(header(PROTOCOL_HEADER)),
  };
}

/** The first proof is about the runner's own nonce only: a repeat of it opens a socket, but nothing more. */
export async function admit(door: TownDoor, knock: Knock): Promise<Known | Refusal> {
  const hello = readHello(door.town, knock);
  if (typeof hello === 'number') return hello;
  const known = await prover(door, hello);
  if (known === null) return 401;
  return hello.protocol >= PROTOCOL_OLDEST && hello.protocol <= PROTOCOL_VERSION ? known : 426;
}

/** With which of its tokens the proof was made; null: with none of them. */
async function prover(door: TownDoor, { about, proof }: Hello): Promise<Known | null> {
  const serials = await door.serials(about.runner);
  if (serials === null) return null;
  for (const serial of [serials.current, serials.next]) {
    if (serial === null) continue;
    const verifier = await verifierOf(door, about.runner, serial);
    if (await sameText(proof, await prove(verifier, 'hello', about)))
      return { about, verifier, serial, isNext: serial === serials.next };
  }
  return null;
}

export const verifierOf = async (
  door: Pick<TownDoor, 'town' | 'key'>,
  runner: string,
  serial: string,
): Promise<string> => (await tokenOf(door.key, { town: door.town, runner, serial })).verifier;

/** We prove ourselves with a fresh nonce. `beat`: what the runner sends as a sign of life, if not pings. */
export async function welcome(
  verifier: string,
  about: Greeting,
  beat: string | null = null,
): Promise<Extract<Frame, { t: 'welcome' }>> {
  const proof = await prove(verifier, 'welcome', about);
  return {
    t: 'welcome',
    nonce: about.townNonce,
    proof,
    protocol: PROTOCOL_VERSION,
    ...(beat === null ? {} : { beat }),
  };
}

/** Then it proves itself again, with our nonce. */
export async function isReady(text: string, verifier: string, about: Greeting): Promise<boolean> {
  const frame = readFrame(text);
  return sameText(frame?.t === 'ready' ? frame.proof : '', await prove(verifier, 'ready', about));
}
