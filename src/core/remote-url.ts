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

/** Somebody put a password (or a token in its place) into the address: everybody who reads settings or a backup would have it. */
export const hasPassword = (url: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/[^/?#:@]*:[^/?#]+@/i.test(url);
