/** Where clients of MCP keep their servers, and how each writes one. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A command line that serves MCP on its stdin and stdout. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface McpClient {
  readonly id: string;
  /** The file of this user; below a folder when one is given, for that project only. */
  readonly file: (env: NodeJS.ProcessEnv, folder: string | null) => string;
  readonly format: 'json' | 'toml';
  /** The key that holds the servers, by name. */
  readonly key: string;
  readonly entry: (server: ServerCommand) => Readonly<Record<string, unknown>>;
}

const home = (env: NodeJS.ProcessEnv): string => env['HOME'] ?? homedir();
/** An empty variable is as good as none. */
const folderOr = (value: string | undefined, other: string): string =>
  value === undefined || value === '' ? other : value;
const config = (env: NodeJS.ProcessEnv): string => folderOr(env['XDG_CONFIG_HOME'], join(home(env), '.config'));

const plain = ({ command, args }: ServerCommand): Readonly<Record<string, unknown>> => ({ command, args: [...args] });
const typed =
  (type: string, more: Readonly<Record<string, unknown>> = {}) =>
  (server: ServerCommand): Readonly<Record<string, unknown>> => ({ type, ...plain(server), ...more });

/** `settings.json` in a folder of the client's own, in the home or in a project. */
const settingsIn =
  (folder: string, file: string) =>
  (env: NodeJS.ProcessEnv, project: string | null): string =>
    join(project ?? home(env), folder, file);

/** One file of the OpenCode family: the command is one list. */
const openCode = (id: string): McpClient => ({
  id,
  file: (env, project) => (project === null ? join(config(env), id, `${id}.json`) : join(project, `${id}.json`)),
  format: 'json',
  key: 'mcp',
  entry: ({ command, args }) => ({ type: 'local', command: [command, ...args], enabled: true }),
});

export const MCP_CLIENTS: readonly McpClient[] = [
  {
    id: 'claude',
    file: (env, project) => (project === null ? join(home(env), '.claude.json') : join(project, '.mcp.json')),
    format: 'json',
    key: 'mcpServers',
    entry: typed('stdio'),
  },
  {
    id: 'codex',
    file: (env, project) =>
      project === null
        ? join(folderOr(env['CODEX_HOME'], join(home(env), '.codex')), 'config.toml')
        : join(project, '.codex', 'config.toml'),
    format: 'toml',
    key: 'mcp_servers',
    entry: plain,
  },
  openCode('opencode'),
  openCode('kilo'),
  { id: 'gemini', file: settingsIn('.gemini', 'settings.json'), format: 'json', key: 'mcpServers', entry: plain },
  { id: 'qwen', file: settingsIn('.qwen', 'settings.json'), format: 'json', key: 'mcpServers', entry: plain },
  {
    id: 'copilot',
    // Of a project it reads this file and `.mcp.json`, which is Claude Code's.
    file: (env, project) =>
      project === null ? join(home(env), '.copilot', 'mcp-config.json') : join(project, '.github', 'mcp.json'),
    format: 'json',
    key: 'mcpServers',
    entry: typed('local', { tools: ['*'] }),
  },
  { id: 'cursor', file: settingsIn('.cursor', 'mcp.json'), format: 'json', key: 'mcpServers', entry: plain },
];
