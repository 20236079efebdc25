import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { RuntimePreset } from '../../core/runtime-presets.ts';
import { AcpSession } from './acp-session.ts';
import { ClaudeSession } from './claude-session.ts';
import { lineOfVersion } from './found.ts';
import type { Runtime, RuntimeContext, RuntimeStart } from './runtime.ts';

/** A program that answers its version in more than this is not usable anyway. */
const VERSION_TIMEOUT_MS = 20_000;

/** A runtime made from its preset: the program of an AI agent. */
export function presetRuntime(name: string, preset: RuntimePreset): Runtime {
  return {
    name,
    capabilities: {
      continuesWork: true,
      resume: preset.resume !== 'none',
      nudge: true,
      structuredOutput: true,
      ai: true,
    },
    detect: async () => {
      const version = await versionOf(preset.program);
      return { available: version !== null, version, next: version === null ? preset.install : null };
    },
    start: (context) => (preset.protocol === 'claude' ? claude(preset, context) : acp(preset, context)),
  };
}

/** The first line that the program says to `--version`; null when it can't be started. */
function versionOf(program: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, ['--version'], { timeout: VERSION_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, stdout) => {
      resolve(error === null ? lineOfVersion(stdout) : null);
    });
  });
}

/** What every agent has, then its provider's key and address, then the preset, which may name another home. */
function environment(preset: RuntimePreset, context: RuntimeContext): Record<string, string> {
  const passed = preset.passEnv.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...context.env, ...Object.fromEntries(passed), ...preset.env };
}

const modelArgs = (preset: RuntimePreset, model: string | null): readonly string[] =>
  model === null ? [] : preset.modelArgs.map((part) => part.replaceAll('{model}', model));

/** Name of our server of tools. */
const TOOLS = 'gastown';

interface ToolServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** `gt mcp` with the agent's own rights. Not every program lets its servers inherit its environment. */
function toolServer({ env }: RuntimeContext): ToolServer {
  const own = Object.entries(env).filter(([name]) => name.startsWith('GT_') || name === 'PATH' || name === 'HOME');
  return { command: join((env['PATH'] ?? '').split(':')[0] ?? '', 'gt'), args: ['mcp'], env: Object.fromEntries(own) };
}

/** The server of tools as a file, for programs that get it by an argument: arguments are for every user to read. */
async function toolsFile(context: RuntimeContext): Promise<string> {
  const file = join(context.stateDir, 'mcp.json');
  await writeFile(file, JSON.stringify({ mcpServers: { [TOOLS]: toolServer(context) } }), { mode: 0o600 });
  return file;
}

/** Without a terminal, JSON lines both ways, and no servers of tools but those that it is given. */
const CLAUDE_ARGS: readonly string[] = [
  '-p',
  '--verbose',
  '--input-format=stream-json',
  '--output-format=stream-json',
  '--replay-user-messages',
  '--strict-mcp-config',
];

/** Permissions are arguments, so a resumed session has them from its first moment. */
async function claude(preset: RuntimePreset, context: RuntimeContext): Promise<RuntimeStart> {
  const id = context.resume?.id ?? randomUUID();
  const servers = await toolsFile(context);
  const permissions =
    preset.permissions === 'bypass'
      ? ['--permission-mode', 'bypassPermissions']
      : ['--permission-mode', 'default', '--permission-prompt-tool', 'stdio'];
  // It refuses to bypass permissions as root unless it is told that it is boxed in.
  const sandbox = preset.permissions === 'bypass' && process.getuid?.() === 0 ? { IS_SANDBOX: '1' } : {};
  return {
    command: preset.program,
    args: [
      ...preset.args,
      ...CLAUDE_ARGS,
      '--mcp-config',
      servers,
      ...permissions,
      ...modelArgs(preset, context.request.model),
      ...(context.resume === null ? ['--session-id', id] : ['--resume', id]),
    ],
    stdin: null,
    env: { ...sandbox, ...environment(preset, context) },
    session: (link) => {
      // Chosen by us, so it is on disk before the program knows it.
      link.identified(id);
      return new ClaudeSession(link);
    },
  };
}

async function acp(preset: RuntimePreset, context: RuntimeContext): Promise<RuntimeStart> {
  const { worktree: cwd, resume, request } = context;
  const { env, ...tools } = toolServer(context);
  const server = { name: TOOLS, ...tools, env: Object.entries(env).map(([name, value]) => ({ name, value })) };
  const byFile = preset.mcpArgs.length > 0;
  const file = byFile ? await toolsFile(context) : '';
  const mcpServers = byFile ? [] : [server];
  return {
    command: preset.program,
    args: [
      ...preset.args,
      ...modelArgs(preset, request.model),
      ...preset.mcpArgs.map((part) => part.replaceAll('{file}', file)),
    ],
    stdin: null,
    env: environment(preset, context),
    session: (link) => new AcpSession(link, { preset, cwd, resume, model: request.model, mcpServers }),
  };
}
