/**
 * How a town and a registered runner prove themselves to each other. The town's databases hold only the serial of a
 * runner's token: the town makes the secret from it with its own key each time it is needed, so that no journal, replay
 * bundle or copy of a database lets anybody in. Both sides make keyed hashes with the secret's hash (the verifier), so
 * the secret itself is never sent. Web crypto only: any host.
 */
import { usage } from '../../core/errors.ts';

/** 256 bits: never met twice. */
const NONCE_BYTES = 32;
/** 128 bits: unique for all time. */
const SERIAL_BYTES = 16;
const PREFIX = 'gtr1';
const RUNNER_NAME = /^[a-z][a-z0-9-]{0,31}$/;
const TOKEN = /^gtr1\.([A-Za-z0-9_-]{1,80})\.([a-z][a-z0-9-]{0,31})\.([A-Za-z0-9_-]{43})$/;
const BEARER = /^gtb1\.([a-z][a-z0-9-]{0,31})\.([A-Za-z0-9_-]{43})$/;

/** What `gt runner add` shows once. */
export interface RunnerToken {
  readonly town: string;
  readonly runner: string;
  readonly verifier: string;
}

/** Checks a runner's name. Errors: `bad_runner_name`. */
export function parseRunnerName(text: string): string {
  if (RUNNER_NAME.test(text)) return text;
  throw usage(
    'bad_runner_name',
    `${JSON.stringify(text.slice(0, 60))} can't be the name of a runner.`,
    'Use a small letter and then at most 31 small letters, digits and "-".',
    'name',
  );
}

/** Which token is meant; the town's key makes it from this. */
export interface TokenSerial {
  readonly town: string;
  readonly runner: string;
  /** Random and never used again, so that a runner that is removed and added anew has another token. No secret. */
  readonly serial: string;
}

/** The token of a serial, and what it is checked with. `key`: the town's own secret. */
export async function tokenOf(
  key: string,
  { town, runner, serial }: TokenSerial,
): Promise<{ readonly token: string; readonly verifier: string }> {
  const secret = await keyedHash(key, ['runner token', town, runner, serial].join('\n'));
  return { token: `${PREFIX}.${town}.${runner}.${secret}`, verifier: await verifierOf(secret) };
}

/** Reads a token. Errors: `bad_runner_token`, which shows nothing of it. */
export async function readToken(text: string): Promise<RunnerToken> {
  const found = TOKEN.exec(text.trim());
  const [, town, runner, secret] = found ?? [];
  if (town === undefined || runner === undefined || secret === undefined)
    throw usage(
      'bad_runner_token',
      'This is not the token of a runner.',
      'Make one in the town with "gt runner add <name>"; it is shown once and begins with "gtr1.".',
      'token',
    );
  return { town, runner, verifier: await verifierOf(secret) };
}

/** What a proof is about: both names and both nonces, so that none fits another connection. */
export interface Greeting {
  readonly town: string;
  readonly runner: string;
  readonly runnerNonce: string;
  readonly townNonce: string;
}

/** `hello` and `ready` are of the runner, `welcome` is of the town. */
export function prove(verifier: string, role: 'hello' | 'welcome' | 'ready', about: Greeting): Promise<string> {
  return keyedHash(verifier, [role, about.town, about.runner, about.runnerNonce, about.townNonce].join('\n'));
}

/** The secret of one direction for calls over HTTP: the town shows the first to the runner, the runner the second. */
export async function bearerFor(verifier: string, runner: string, way: 'to-runner' | 'to-town'): Promise<string> {
  return `gtb1.${runner}.${await keyedHash(verifier, `bearer ${way} ${runner}`)}`;
}

/** Whose bearer this claims to be; null when it is none of a registered runner. */
export const runnerOfBearer = (token: string): string | null => BEARER.exec(token)?.[1] ?? null;

/** Compares in a time that says nothing about where they differ. */
export async function sameText(given: string, expected: string): Promise<boolean> {
  const [left, right] = await Promise.all([sha256(given), sha256(expected)]);
  let difference = 0;
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0);
  return difference === 0;
}

export const newSerial = (random: (count: number) => Uint8Array): string => base64url(random(SERIAL_BYTES));

export const newNonce = (random: (count: number) => Uint8Array): string => base64url(random(NONCE_BYTES));

async function verifierOf(secret: string): Promise<string> {
  return base64url(await sha256(`gt-runner ${secret}`));
}

async function keyedHash(key: string, text: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', encoder.encode(key), algorithm, false, ['sign']);
  return base64url(new Uint8Array(await crypto.subtle.sign('HMAC', imported, encoder.encode(text))));
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

function base64url(data: Uint8Array): string {
  let text = '';
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
