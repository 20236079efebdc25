import { join } from 'node:path';

/** What makes a real agent program talk to a scripted model instead of its provider. */
export interface Rehearsal {
  readonly env: Readonly<Record<string, string>>;
  /** Files below its home folder. */
  readonly files: Readonly<Record<string, string>>;
  /** What to ask for, so that no program looks for the name of a real model. */
  readonly model: string;
}

interface Place {
  /** Takes the place of the person's own home: a rehearsal neither reads nor writes there. */
  readonly home: string;
  readonly port: number;
}

const KEY = 'rehearsal';
const url = ({ port }: Place): string => `http://127.0.0.1:${String(port)}`;

const MAKERS: Readonly<Record<string, (place: Place) => Rehearsal>> = {
  claude: (place) => ({
    env: {
      HOME: place.home,
      CLAUDE_CONFIG_DIR: join(place.home, '.claude'),
      ANTHROPIC_BASE_URL: url(place),
      ANTHROPIC_API_KEY: KEY,
    },
    files: {},
    model: 'claude-sonnet-4-5',
  }),
  codex: (place) => ({
    env: { HOME: place.home, CODEX_HOME: join(place.home, '.codex'), SCRIPTED_KEY: KEY, OPENAI_API_KEY: KEY },
    files: { '.codex/config.toml': codexConfig(place) },
    model: 'gpt-5-codex',
  }),
  opencode: (place) => ({
    env: {
      ...ownFolders(place),
      OPENCODE_CONFIG_CONTENT: JSON.stringify(opencodeConfig(place)),
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    },
    // Without these it asks the registry for its plugin package at its first start.
    files: {
      '.config/opencode/node_modules/.keep': '',
      '.config/opencode/package-lock.json': '{"lockfileVersion":3,\n"packages":{}}\n',
    },
    model: 'scripted/scripted-1',
  }),
  kilo: (place) => ({
    env: {
      ...ownFolders(place),
      KILO_CONFIG_CONTENT: JSON.stringify(opencodeConfig(place)),
      KILO_DISABLE_MODELS_FETCH: '1',
      KILO_DISABLE_LSP_DOWNLOAD: '1',
      KILO_DISABLE_DEFAULT_PLUGINS: '1',
    },
    files: {
      '.config/kilo/node_modules/.keep': '',
      '.config/kilo/package-lock.json': '{"lockfileVersion":3,\n"packages":{}}\n',
    },
    model: 'scripted/scripted-1',
  }),
  gemini: (place) => ({
    env: { HOME: place.home, GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: url(place) },
    files: { '.gemini/settings.json': JSON.stringify(geminiSettings('gemini-api-key')) },
    model: 'gemini-2.5-flash',
  }),
  qwen: (place) => ({
    env: { HOME: place.home, OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${url(place)}/v1` },
    files: { '.qwen/settings.json': JSON.stringify(geminiSettings('openai')) },
    model: 'scripted-1',
  }),
  copilot: (place) => ({
    env: {
      HOME: place.home,
      COPILOT_HOME: join(place.home, '.copilot'),
      COPILOT_OFFLINE: 'true',
      COPILOT_PROVIDER_BASE_URL: `${url(place)}/v1`,
      COPILOT_PROVIDER_API_KEY: KEY,
      COPILOT_MODEL: 'scripted-1',
    },
    files: {},
    model: 'scripted-1',
  }),
};

/** Null for a runtime that nobody has taught this yet. */
export const rehearsalOf = (runtime: string, place: Place): Rehearsal | null => MAKERS[runtime]?.(place) ?? null;

/** Runtimes that can be rehearsed. */
export const REHEARSED: readonly string[] = Object.keys(MAKERS);

const ownFolders = ({ home }: Place): Record<string, string> => ({
  HOME: home,
  XDG_CONFIG_HOME: join(home, '.config'),
  XDG_DATA_HOME: join(home, '.local/share'),
  XDG_CACHE_HOME: join(home, '.cache'),
  XDG_STATE_HOME: join(home, '.local/state'),
});

/** Of Gemini CLI, and of Qwen Code, which was made from it: how it logs in, and nothing told to its makers. */
const geminiSettings = (login: string): unknown => ({
  security: { auth: { selectedType: login } },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  // Otherwise our tools hide behind a search for tools.
  tools: { toolSearch: { enabled: false } },
  general: { enableAutoUpdate: false, disableAutoUpdate: true },
});

function codexConfig(place: Place): string {
  return `model = "gpt-5-codex"
model_provider = "scripted"
allow_login_shell = false
check_for_update_on_startup = false
[model_providers.scripted]
name = "Scripted"
base_url = "${url(place)}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
[analytics]
enabled = false
[feedback]
enabled = false
[features]
plugins = false
apps = false
remote_plugin = false
`;
}

function opencodeConfig(place: Place): unknown {
  const models = { 'scripted-1': { name: 'scripted-1', limit: { context: 100_000, output: 8_000 } } };
  const options = { baseURL: `${url(place)}/v1`, apiKey: KEY };
  return {
    model: 'scripted/scripted-1',
    enabled_providers: ['scripted'],
    provider: { scripted: { npm: '@ai-sdk/openai-compatible', name: 'Scripted', options, models } },
    permission: { '*': 'allow' },
    autoupdate: false,
    share: 'disabled',
  };
}
