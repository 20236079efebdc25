/** How the program of an AI agent is started, spoken to and looked for: data, so that a new one needs no code. */
export interface RuntimePreset {
  /** `claude`: the JSON lines of Claude Code. `acp`: the Agent Client Protocol, JSON-RPC on standard input and output. */
  readonly protocol: 'claude' | 'acp';
  /** Looked for in `PATH`, or an absolute path. */
  readonly program: string;
  readonly args: readonly string[];
  /** Added when a model was asked for; `{model}` stands for its name. */
  readonly modelArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Variables of the runner's own environment that it gets: where its provider is and the key for it. */
  readonly passEnv: readonly string[];
  /** `bypass`: it asks nobody before it acts. `ask`: a person answers each question; until then the attempt waits. */
  readonly permissions: 'bypass' | 'ask';
  /**
   * The mode of an ACP agent that asks nobody, set again after each start and resume; null: it has none. `<name>=<value>`
   * is one of its configuration options instead.
   */
  readonly mode: string | null;
  /** The mode of an ACP agent that asks; null: its own default. */
  readonly askMode: string | null;
  /** How a former session is taken up again in a new process. `id`: by an argument. `load`, `resume`: by that call of ACP. */
  readonly resume: 'none' | 'id' | 'load' | 'resume';
  /** How an ACP agent gets our tools that takes no servers by the protocol; `{file}` stands for the file that names them. */
  readonly mcpArgs: readonly string[];
  /** How an ACP agent begins the last words of a turn that failed, where it ends such a turn like any other; null: it does not. */
  readonly failedWords: string | null;
  /** Words in mid-turn: `steer` is seen at the next call of the model, `queue` after the turn, `cancels` would end the turn. */
  readonly nudge: 'steer' | 'queue' | 'cancels';
  /** How to get it when it is missing. */
  readonly install: string;
  /** Signs of a login: any of the files (below the home folder) or of the variables. */
  readonly login: { readonly files: readonly string[]; readonly env: readonly string[]; readonly how: string };
}

const acp = {
  protocol: 'acp',
  modelArgs: [],
  mcpArgs: [],
  failedWords: null,
  permissions: 'bypass',
  mode: null,
  askMode: null,
} as const satisfies Partial<RuntimePreset>;

const OPENCODE_ENV = { permission: { '*': 'allow' }, autoupdate: false, share: 'disabled' };

/**
 * The programs that a town knows without being told. What `[runtimes.<name>]` in gastown.toml says wins, part by part, and
 * a new name there is a new runtime. What was seen of each is in docs/runtimes.md.
 */
export const RUNTIME_PRESETS: Readonly<Record<string, RuntimePreset>> = {
  claude: {
    protocol: 'claude',
    program: 'claude',
    args: [],
    modelArgs: ['--model', '{model}'],
    env: {
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      // Its own defaults wait for many minutes; what it gives up on, the town parks and tries again.
      CLAUDE_CODE_MAX_RETRIES: '4',
      CLAUDE_ENABLE_STREAM_WATCHDOG: '1',
      CLAUDE_STREAM_IDLE_TIMEOUT_MS: '180000',
      // Otherwise our tools hide behind a search for tools.
      ENABLE_TOOL_SEARCH: 'false',
    },
    passEnv: [
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_AUTH_TOKEN',
      'ANTHROPIC_BASE_URL',
      'CLAUDE_CODE_OAUTH_TOKEN',
      'CLAUDE_CONFIG_DIR',
    ],
    permissions: 'bypass',
    mode: null,
    askMode: null,
    mcpArgs: [],
    failedWords: null,
    resume: 'id',
    nudge: 'steer',
    install: 'npm install -g @anthropic-ai/claude-code',
    login: {
      files: ['.claude/.credentials.json'],
      env: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
      how: 'run "claude" once and log in, or set ANTHROPIC_API_KEY for the daemon',
    },
  },
  codex: {
    ...acp,
    program: 'codex-acp',
    args: [],
    env: {},
    passEnv: ['OPENAI_API_KEY', 'CODEX_API_KEY', 'CODEX_HOME'],
    // Its default mode has a second model look at each call.
    mode: 'agent-full-access',
    askMode: 'read-only',
    resume: 'resume',
    nudge: 'queue',
    install: 'npm install -g @agentclientprotocol/codex-acp',
    login: {
      files: ['.codex/auth.json'],
      env: ['OPENAI_API_KEY', 'CODEX_API_KEY'],
      how: 'run "codex login", or set OPENAI_API_KEY for the daemon',
    },
  },
  opencode: {
    ...acp,
    program: 'opencode',
    args: ['acp'],
    env: { OPENCODE_CONFIG_CONTENT: JSON.stringify(OPENCODE_ENV), OPENCODE_DISABLE_AUTOUPDATE: '1' },
    passEnv: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'OPENROUTER_API_KEY', 'OPENCODE_CONFIG'],
    resume: 'resume',
    nudge: 'steer',
    install: 'npm install -g opencode-ai',
    login: {
      files: ['.local/share/opencode/auth.json'],
      env: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'OPENROUTER_API_KEY'],
      how: 'run "opencode auth login"',
    },
  },
  kilo: {
    ...acp,
    program: 'kilo',
    args: ['acp'],
    env: {
      KILO_CONFIG_CONTENT: JSON.stringify(OPENCODE_ENV),
      KILO_DISABLE_AUTOUPDATE: '1',
      KILO_TELEMETRY_LEVEL: 'off',
    },
    passEnv: ['KILO_API_KEY', 'OPENROUTER_API_KEY'],
    resume: 'resume',
    nudge: 'steer',
    install: 'npm install -g @kilocode/cli',
    login: { files: ['.local/share/kilo/auth.json'], env: ['KILO_API_KEY'], how: 'run "kilo auth login"' },
  },
  gemini: {
    ...acp,
    program: 'gemini',
    args: ['--acp', '--skip-trust'],
    modelArgs: ['-m', '{model}'],
    env: { GEMINI_CLI_NO_RELAUNCH: 'true' },
    passEnv: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'GOOGLE_CLOUD_PROJECT'],
    mode: 'yolo',
    askMode: 'default',
    // It offers to load sessions and finds none.
    resume: 'none',
    nudge: 'cancels',
    install: 'npm install -g @google/gemini-cli',
    login: {
      files: ['.gemini/oauth_creds.json'],
      env: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
      how: 'run "gemini" once and log in, or set GEMINI_API_KEY for the daemon',
    },
  },
  qwen: {
    ...acp,
    program: 'qwen',
    args: ['--acp'],
    modelArgs: ['-m', '{model}'],
    env: { QWEN_TELEMETRY_ENABLED: 'false' },
    passEnv: ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'DASHSCOPE_API_KEY'],
    mode: 'yolo',
    askMode: 'default',
    resume: 'resume',
    nudge: 'cancels',
    install: 'npm install -g @qwen-code/qwen-code',
    login: {
      files: ['.qwen/oauth_creds.json'],
      env: ['OPENAI_API_KEY', 'DASHSCOPE_API_KEY'],
      how: 'run "qwen" once and log in, or set OPENAI_API_KEY for the daemon',
    },
  },
  copilot: {
    ...acp,
    program: 'copilot',
    args: ['--acp', '--no-auto-update'],
    modelArgs: ['--model', '{model}'],
    // Servers of tools in the call that opens a session are not offered to its model.
    mcpArgs: ['--additional-mcp-config', '@{file}'],
    mode: 'allow_all=on',
    askMode: 'allow_all=off',
    failedWords: 'Error: ',
    env: {},
    passEnv: [
      'GH_TOKEN',
      'GITHUB_TOKEN',
      'COPILOT_HOME',
      'COPILOT_OFFLINE',
      'COPILOT_MODEL',
      'COPILOT_PROVIDER_BASE_URL',
      'COPILOT_PROVIDER_API_KEY',
    ],
    resume: 'load',
    nudge: 'cancels',
    install: 'npm install -g @github/copilot',
    login: {
      files: ['.copilot/config.json'],
      env: ['GH_TOKEN', 'GITHUB_TOKEN', 'COPILOT_PROVIDER_API_KEY'],
      how: 'run "copilot" once and log in',
    },
  },
};

/** The runtimes of a town that are presets: its own, and those it did not change. */
export const presetsOf = (
  own: Readonly<Record<string, RuntimePreset>> | undefined,
): Readonly<Record<string, RuntimePreset>> => ({ ...RUNTIME_PRESETS, ...own });
