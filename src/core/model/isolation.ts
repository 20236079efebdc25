/** How processes of agents and gates are shut in, and what they may use. */

/**
 * `none`: as the user, in a worktree linked to the rig's clone. `bubblewrap`: namespaces of the kernel. `container`: a
 * program like docker or podman. `wrapper`: any command that runs another one.
 */
export const ISOLATIONS = ['none', 'bubblewrap', 'container', 'wrapper'] as const;
export type Isolation = (typeof ISOLATIONS)[number];

export const NETWORKS = ['on', 'off'] as const;
/** A list: nothing but these hosts, each as `parseAllowed` reads it; with bubblewrap only. */
export type Network = (typeof NETWORKS)[number] | readonly string[];
/** Entries of such a list: services of one rig's tools are far fewer. */
export const ALLOWED_HOSTS_MAX = 100;
export const ALLOWED_HOST_CHARS_MAX = 300;

/** Everything a runner needs to shut a process in. */
export interface Sandbox {
  readonly kind: Exclude<Isolation, 'none'>;
  /** `off`: no way out but the runner's socket. A list: to these hosts as well. A wrapper of the user decides this by itself. */
  readonly network: Network;
  /** For `container`: the program with its options, like `podman run`. For `wrapper`: a shell line. */
  readonly command: string | null;
  /** For `container`. */
  readonly image: string | null;
  /** Folders and files beyond the system's own that it may read; `~/` is the home of the runner's user. */
  readonly read: readonly string[];
  /** The same, to write. */
  readonly write: readonly string[];
}

/** What one attempt may use beside its time; null: no limit of ours. */
export interface AgentLimits {
  /** Bytes of all its processes together. */
  readonly memoryBytes: number | null;
  /** Bytes of its worktree and of its own folders. */
  readonly diskBytes: number | null;
}

/** A rig's settings of all this. */
export interface RigShield {
  readonly isolation: Isolation;
  /** By runtime; wins over `isolation`. */
  readonly perRuntime: Readonly<Record<string, Isolation>>;
  readonly sandbox: Omit<Sandbox, 'kind'>;
  readonly limits: AgentLimits;
  /** What may look like a key and be pushed all the same; null: nothing is searched for keys. */
  readonly secretsAllowed: readonly string[] | null;
}

export const NO_SHIELD: RigShield = {
  isolation: 'none',
  perRuntime: {},
  sandbox: { network: 'on', command: null, image: null, read: [], write: [] },
  limits: { memoryBytes: null, diskBytes: null },
  secretsAllowed: [],
};

/** How agents of a runtime are shut in. */
export const isolationOf = (shield: RigShield, runtime: string): Isolation =>
  shield.perRuntime[runtime] ?? shield.isolation;

/** How gates are: they run what agents wrote, so like the best protected of them. */
export const gateIsolation = (shield: RigShield): Isolation =>
  [shield.isolation, ...Object.values(shield.perRuntime)].find((isolation) => isolation !== 'none') ?? 'none';

/** What to put into an order; nothing where a process is not shut in. */
export const sandboxOf = (shield: RigShield, kind: Isolation): { readonly sandbox?: Sandbox } =>
  kind === 'none' ? {} : { sandbox: { kind, ...shield.sandbox } };

/**
 * What makes, shows and removes containers, of a command like `sudo docker --context x run --rm`: all before the word `run`.
 * Null without that word: then nobody knows how a container is removed.
 */
export const containerEngine = (command: string | null): string | null =>
  command === null ? null : (/(\S.*?)\s+run(?:\s|$)/s.exec(command)?.[1] ?? null);
