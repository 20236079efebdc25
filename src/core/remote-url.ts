import { usage } from './errors.ts';

/** What an address of a repository says about the host that has it. */
export interface Remote {
  /** In small letters; with a port only where the address is one of the web, whose API has the same port. */
  readonly host: string;
  /** `owner/name`, or `group/…/name`; without `.git`. */
  readonly project: string;
}

/** A remote's address is a line; more is no address of a code host. */
const REMOTE_CHARS_MAX = 1_024;
/** More groups in groups than any host allows. */
const PROJECT_PARTS_MAX = 21;

const WEB = /^https?:\/\/(?:[^@/?#]*@)?([a-z0-9.-]+(?::\d{1,5})?)\/([^?#]+)$/i;
const SSH = /^(?:git\+)?ssh:\/\/(?:[^@/?#]*@)?([a-z0-9.-]+)(?::\d{1,5})?\/([^?#]+)$/i;
const GIT = /^git:\/\/([a-z0-9.-]+)(?::\d{1,5})?\/([^?#]+)$/i;
/** `git@host:owner/name`. One letter before the colon is a drive of Windows. */
const SCP = /^(?:[\w.+-]+@)?([a-z0-9-][a-z0-9.-]+):(?!\/\/)([^?#]+)$/i;

/** Hosts that have another name for ssh through the port of https. */
const SSH_NAMES: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
};

/** Reads the address of a remote as git takes it. Null: a path, or nothing that a code host would have. */
export function parseRemote(url: string): Remote | null {
  if (url.length > REMOTE_CHARS_MAX) return null;
  const [, host = '', path = ''] = matchOf(url) ?? [];
  const project = parseProject(path);
  if (project === null) return null;
  const name = host.toLowerCase();
  return { host: SSH_NAMES[name] ?? name, project };
}

function matchOf(url: string): RegExpExecArray | null {
  if (!url.includes('://')) return SCP.exec(url);
  return WEB.exec(url) ?? SSH.exec(url) ?? GIT.exec(url);
}

/** `owner/name` out of the path of an address. Null: not that, such as a way upwards or one name alone. */
export function parseProject(path: string): string | null {
  const parts = path
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/i, '')
    .split('/');
  if (parts.length < 2 || parts.length > PROJECT_PARTS_MAX) return null;
  const isName = (part: string): boolean => /^[\w.+-]{1,255}$/.test(part) && part !== '.' && part !== '..';
  return parts.every(isName) ? parts.join('/') : null;
}

/** What stands before the host; a password may have "@" and ":" in it. */
const LOGIN = /^(?:[a-z]+::)?([a-z][a-z0-9+.-]*):\/\/([^/?#]*)@/i;
/** How tokens of code hosts begin, so that people and scanners know them. */
const TOKEN =
  /^(?:gh[a-z]_|github_pat_|gl(?:pat|ptt|dt|rt|cbt|soat|imt|ft|agent|oas)-|ATBB|ATCTT|ATATT|BBDC-)[\w=.-]{8}/;
/** Words with perhaps a number, as people and organisations are called; what is drawn by chance mixes letters and digits. */
const WORDS = /^[a-z]{1,20}\d{0,4}(?:[-._+ ][a-z]{0,20}\d{0,4})*$/i;
const EMAIL = /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/;
/** Tokens of code hosts have at least so many characters. */
const TOKEN_CHARS_MIN = 20;

/**
 * Somebody put a password into the address, or a token in place of a name, as the web takes it: everybody who reads
 * settings or a backup would have it. A plain name is none.
 */
export function hasPassword(url: string): boolean {
  const [, scheme = '', login = ''] = LOGIN.exec(url) ?? [];
  const text = decoded(login);
  const [name = '', ...password] = text.split(':');
  if (password.some((part) => part !== '')) return true;
  return /^https?$/i.test(scheme) && isToken(name);
}

const isToken = (name: string): boolean =>
  TOKEN.test(name) || (name.length >= TOKEN_CHARS_MIN && !WORDS.test(name) && !EMAIL.test(name));

function decoded(login: string): string {
  try {
    return decodeURIComponent(login);
  } catch {
    return login;
  }
}

/** The address as it may be shown. */
export const withoutLogin = (url: string): string => (LOGIN.test(url) ? url.replace(/\/\/[^/?#]*@/, '//') : url);

/** A text whose addresses may be shown: what a program says of one. */
export const withoutLogins = (text: string): string => text.replaceAll(/\/\/[^/?#\s]*@/g, '//');

/** Settings hold no secrets: the file is copied by each backup and shown by each list. The refusal shows none either. Errors: `password_in_url`. */
export function refusePassword(url: string): string {
  if (!hasPassword(url)) return url;
  throw usage(
    'password_in_url',
    `The address ${withoutLogin(url)} was given with a password or token, which gastown.toml and its backups would show. Nothing was changed.`,
    'Give it without the login: git asks its credential helper (or use ssh with a key). A clone\'s origin is changed with "git remote set-url".',
    'url',
  );
}
