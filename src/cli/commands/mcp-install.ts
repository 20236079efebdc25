/** Writes the town's tools into the configuration of a client of MCP, and nothing else of that file. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { conflict, precondition, usage } from '../../core/errors.ts';
import { PRIVATE_MODE, readIfThere, writeFileAtomic } from '../../hosts/node/atomic-file.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { MCP_CLIENTS, type McpClient, type ServerCommand } from '../mcp-clients.ts';

/** The name of the server in the client; one town per name. */
const NAME = 'gastown';
const IDS = MCP_CLIENTS.map(({ id }) => id).join(', ');

export const install: CommandSpec = {
  usage: `gt mcp install <client> [--name <name>] [--dir <folder>] [--print]`,
  summary: 'write the tools of this town into the configuration of your assistant',
  examples: ['gt mcp install claude', 'gt mcp install codex --print', 'gt mcp install opencode --dir ~/src/app'],
  args: ['<client>'],
  options: {
    name: { type: 'string', value: 'name', help: `what the client calls them (default: ${NAME})` },
    dir: { type: 'string', value: 'folder', help: 'for one project only, in a file that git does not see' },
    print: { type: 'boolean', help: 'only show where and what' },
  },
  notes: `Clients: ${IDS}.\nYour assistant then acts with your rights in this town. Agents of the town need none of this.`,
  run: (context, args) => {
    const client = MCP_CLIENTS.find(({ id }) => id === args.at(0));
    if (client === undefined)
      throw usage(
        'unknown_client',
        `gt does not know how ${JSON.stringify(args.at(0))} is configured.`,
        `Known are: ${IDS}. For others the command is "gt mcp --town <dir>", on stdin and stdout.`,
      );
    const name = args.text('name') ?? NAME;
    if (!/^[A-Za-z0-9_-]{1,40}$/.test(name))
      throw usage('bad_name', `${JSON.stringify(name)} can't be a name.`, 'Use letters, digits, - and _.', 'name');
    const given = args.text('dir');
    const folder = given === undefined ? null : resolve(context.cwd, given);
    if (folder !== null && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw usage('no_folder', `${folder} is no folder.`, 'Name the folder of a project that is there.', 'dir');
    const entry = client.entry(serverCommand(context.town().paths.root));
    const path = client.file(context.env, folder);
    if (args.flag('print')) return say(context, { path, status: 'shown', entry: snippet(client, name, entry) });
    if (folder !== null) keepFromGit(folder, path);
    return say(context, { path, status: write(client, path, { name, entry }), entry: null });
  },
};

interface Installed {
  readonly path: string;
  readonly status: 'written' | 'unchanged' | 'shown';
  readonly entry: string | null;
}

function say(context: Context, done: Installed): number {
  if (context.json) context.print(JSON.stringify(done));
  else if (done.entry !== null) context.print(`${done.path}:\n${done.entry}`);
  else context.print(done.status === 'written' ? `Written to ${done.path}.` : `It is in ${done.path} already.`);
  if (done.status === 'written') context.hint('Start your assistant again; it acts with your rights in this town.');
  return EXIT.ok;
}

/** This very program, wherever the client starts it. */
const serverCommand = (root: string): ServerCommand => ({
  command: process.execPath,
  args: [resolve(process.argv[1] ?? ''), 'mcp', '--town', root],
});

const snippet = (client: McpClient, name: string, entry: Readonly<Record<string, unknown>>): string =>
  client.format === 'toml'
    ? stringify({ [client.key]: { [name]: entry } }).trimEnd()
    : JSON.stringify({ [client.key]: { [name]: entry } }, null, 2);

/** Errors: `client_config_unreadable`, `name_taken`. */
function write(
  client: McpClient,
  path: string,
  server: { readonly name: string; readonly entry: Readonly<Record<string, unknown>> },
): 'written' | 'unchanged' {
  // A file that is a link stays one.
  const real = existsSync(path) ? realpathSync(path) : path;
  const text = readIfThere(real) ?? '';
  const settings = readSettings(client, path, text);
  const servers = settings[client.key] ?? {};
  if (!isObject(servers)) throw unreadable(path, `"${client.key}" is no table of servers`);
  const known = servers[server.name];
  if (isSame(known, server.entry)) return 'unchanged';
  if (known !== undefined)
    throw conflict(
      'name_taken',
      `${path} has another server called "${server.name}".`,
      'Take another name with --name, or take the old one out of that file.',
    );
  const added = withServer(client, { path, text, settings, servers }, server);
  mkdirSync(dirname(real), { recursive: true });
  writeFileAtomic(real, added, existsSync(real) ? statSync(real).mode & 0o777 : PRIVATE_MODE);
  return 'written';
}

type Settings = Readonly<Record<string, unknown>>;

/** The file with the server in it. Comments of a person's own file are kept: TOML takes the table at its end. */
function withServer(
  client: McpClient,
  file: { readonly path: string; readonly text: string; readonly settings: Settings; readonly servers: Settings },
  server: { readonly name: string; readonly entry: Settings },
): string {
  const { path, text, settings, servers } = file;
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  const added =
    client.format === 'toml'
      ? `${before}${text === '' ? '' : '\n'}${snippet(client, server.name, server.entry)}\n`
      : `${JSON.stringify({ ...settings, [client.key]: { ...servers, [server.name]: server.entry } }, null, 2)}\n`;
  // A table of servers that is written within one line takes no table behind it.
  if (holds(client, added, server)) return added;
  throw unreadable(path, `"${client.key}" is written so that no server can be added behind it`);
}

function holds(client: McpClient, text: string, server: { readonly name: string; readonly entry: Settings }): boolean {
  try {
    const settings: unknown = client.format === 'toml' ? parse(text) : JSON.parse(text);
    const servers = isObject(settings) ? settings[client.key] : undefined;
    return isObject(servers) && isSame(servers[server.name], server.entry);
  } catch {
    return false;
  }
}

function readSettings(client: McpClient, path: string, text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') return {};
  let settings: unknown;
  try {
    settings = client.format === 'toml' ? parse(text) : JSON.parse(text);
  } catch (error) {
    throw unreadable(path, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
  if (!isObject(settings)) throw unreadable(path, 'it is no object');
  return settings;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSame = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

const unreadable = (path: string, why: string): Error =>
  precondition(
    'client_config_unreadable',
    `${path} can't be read: ${why}. Nothing was changed.`,
    'Correct it, or put in by hand what the same command says with --print.',
  );

/** Errors: `tracked_file`: a person's tree is not changed. */
function keepFromGit(folder: string, path: string): void {
  const git = (...args: readonly string[]): string | null => {
    try {
      return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return null;
    }
  };
  const top = git('rev-parse', '--show-toplevel')?.trim();
  if (top === undefined) return;
  if (git('ls-files', '--error-unmatch', '--', path) !== null)
    throw conflict(
      'tracked_file',
      `${path} is part of the repository, and tools of a town are not.`,
      'Install it without --dir: then it is in your own configuration.',
    );
  if (git('check-ignore', '--quiet', '--', path) !== null) return;
  const exclude = resolve(folder, git('rev-parse', '--git-path', 'info/exclude')?.trim() ?? '.git/info/exclude');
  mkdirSync(dirname(exclude), { recursive: true });
  const known = existsSync(exclude) ? readFileSync(exclude, 'utf8') : '';
  const line = `/${relative(realpathSync(top), join(realpathSync(folder), relative(folder, path)))}`;
  appendFileSync(exclude, `${known === '' || known.endsWith('\n') ? '' : '\n'}${line}\n`);
}
