import { readFileSync, statSync } from 'node:fs';
import { precondition, usage } from '../../core/errors.ts';
import type { RemotePlace } from './remote-place.ts';
import type { Town } from './town-files.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const TOKEN = /^[\x21-\x7e]{16,200}$/;

export const isAddress = (text: string): boolean => /^https?:\/\//i.test(text);

/** Says why there are no files to work on, and how the command finds some. */
type Refusal = () => Error;

/**
 * A town at an address: for commands that only ask its API. Errors: those of `remotePlace`; whoever wants a file of it:
 * `needs_folder`, told with `next`.
 */
export function remoteTown(url: string, tokenFile: string | undefined, from: AddressFrom): Town {
  // Not spread: its other members throw.
  return Object.assign(
    withoutFolder(() => addressHasNoFolder(from)),
    { remote: remotePlace(url, tokenFile) },
  );
}

/** A town that has no folder on this machine: for a session at a runner, which reaches it through that runner. */
export const townElsewhere = (): Town =>
  withoutFolder(() =>
    needsFolder('the town is on another machine.', 'Leave it to people there: gt mail send human/ "<subject>".'),
  );

function withoutFolder(refusal: Refusal): Town {
  return {
    get paths(): never {
      throw refusal();
    },
    get identity(): never {
      throw refusal();
    },
  };
}

/** Errors: `bad_url`, `insecure_url`, `no_credential`, `token_unreadable`, `token_readable`, `bad_token`. */
export function remotePlace(url: string, tokenFile: string | undefined): RemotePlace {
  checkAddress(url);
  if (tokenFile === undefined)
    throw usage(
      'no_credential',
      'A town at an address opens with its owner token only.',
      'Name the file that holds it with --token-file <file>, or in the variable GT_OWNER_TOKEN_FILE.',
      'token-file',
    );
  return { url, token: readToken(tokenFile) };
}

/** This machine itself. */
export const isLoopback = (hostname: string): boolean => LOOPBACK.test(hostname);

function checkAddress(text: string): void {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw usage('bad_url', `${JSON.stringify(text.slice(0, 120))} is no address.`, 'Use https://host.', 'town');
  }
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return;
  throw usage(
    'insecure_url',
    `The owner token would be readable by everybody on the way to ${url.host}.`,
    'Use https, or a tunnel to loopback ("ssh -L").',
    'town',
  );
}

function readToken(file: string): string {
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0)
      throw precondition('token_readable', `${file} can be read by other users.`, `Run: chmod 600 ${file}`);
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')))
      throw error;
    throw precondition('token_unreadable', `${file} can't be read.`, 'Put the owner token of the town into it.');
  }
  if (TOKEN.test(text)) return text;
  throw precondition('bad_token', `${file} holds no token.`, 'Put the owner token of the town into it, on one line.');
}

/** Where the address of a town was said, and in which command: a refusal names the way out of it. */
export interface AddressFrom {
  readonly source: '--town' | 'GT_TOWN_ROOT';
  /** Without `gt`, for example `doctor`. */
  readonly command: string;
}

function addressHasNoFolder({ source, command }: AddressFrom): Error {
  const orElse = source === '--town' ? 'or leave --town out in that folder' : 'or unset GT_TOWN_ROOT in that folder';
  return needsFolder(
    `${source} names an address.`,
    `Name the folder of a town: gt ${command} --town <dir>, ${orElse}.`,
  );
}

const needsFolder = (why: string, next: string): Error =>
  precondition('needs_folder', `This command works on the files of a town, and ${why}`, next);
