import { z } from 'zod';
import { precondition } from '../core/errors.ts';
import { parseAllowed } from '../core/model/allowed-hosts.ts';
import {
  ALLOWED_HOST_CHARS_MAX,
  ALLOWED_HOSTS_MAX,
  containerEngine,
  ISOLATIONS,
  NETWORKS,
  type Isolation,
  type Network,
  type RigShield,
} from '../core/model/isolation.ts';
import { parseSizeBytes, SIZE_OFF } from './size.ts';

/**
 * What all processes of one agent may use of memory, and its folders of the disk: more than honest work needs, and less than
 * what takes a machine down that holds several.
 */
export const MEMORY_MAX_DEFAULT = '16GB';
export const DISK_MAX_DEFAULT = '32GB';
const PATHS_MAX = 100;
const TEXT_CHARS_MAX = 4_096;
const ALLOWED_MAX = 1_000;
const ALLOWED_CHARS_MAX = 1_000;
const IMAGE_CHARS_MAX = 1_000;

const isolation: z.ZodType<Isolation> = z.enum(ISOLATIONS);
const allowed = z
  .string()
  .max(ALLOWED_HOST_CHARS_MAX)
  .refine(
    (entry) => parseAllowed(entry) !== null,
    'a host is like "api.example.com", "*.example.com:8443" or "private:models.corp.example"',
  );
const network: z.ZodType<Network> = z.union([z.enum(NETWORKS), z.array(allowed).min(1).max(ALLOWED_HOSTS_MAX)]);
const path = z
  .string()
  .max(TEXT_CHARS_MAX)
  .regex(/^(?:\/|~$|~\/)[^\u0000-\u001f\u007f]*$/, 'a path begins with "/" or "~/"');
const paths = z.array(path).max(PATHS_MAX);
const size: z.ZodType<string | number | bigint> = z.union([z.string(), z.number(), z.bigint()]);
const text = z.string().min(1).max(TEXT_CHARS_MAX);

/** Settings that stand in `[defaults]` and in a rig's section. */
export const shieldSettings: {
  readonly isolation: z.ZodOptional<typeof isolation>;
  readonly isolation_per_runtime: z.ZodOptional<z.ZodRecord<z.ZodString, typeof isolation>>;
  readonly isolation_command: z.ZodOptional<z.ZodString>;
  readonly isolation_image: z.ZodOptional<z.ZodString>;
  readonly isolation_read: z.ZodOptional<z.ZodArray<z.ZodString>>;
  readonly isolation_write: z.ZodOptional<z.ZodArray<z.ZodString>>;
  readonly network: z.ZodOptional<typeof network>;
  readonly memory_max: z.ZodOptional<typeof size>;
  readonly disk_max: z.ZodOptional<typeof size>;
  readonly secrets_scan: z.ZodOptional<z.ZodBoolean>;
  readonly secrets_allowed: z.ZodOptional<z.ZodArray<z.ZodString>>;
} = {
  isolation: isolation.optional(),
  isolation_per_runtime: z.record(z.string(), isolation).optional(),
  isolation_command: text.optional(),
  isolation_image: z.string().min(1).max(IMAGE_CHARS_MAX).optional(),
  isolation_read: paths.optional(),
  isolation_write: paths.optional(),
  network: network.optional(),
  memory_max: size.optional(),
  disk_max: size.optional(),
  secrets_scan: z.boolean().optional(),
  secrets_allowed: z.array(z.string().min(1).max(ALLOWED_CHARS_MAX)).max(ALLOWED_MAX).optional(),
};

export interface ShieldSection {
  readonly isolation?: Isolation | undefined;
  readonly isolation_per_runtime?: Readonly<Record<string, Isolation>> | undefined;
  readonly isolation_command?: string | undefined;
  readonly isolation_image?: string | undefined;
  readonly isolation_read?: readonly string[] | undefined;
  readonly isolation_write?: readonly string[] | undefined;
  readonly network?: Network | undefined;
  readonly memory_max?: string | number | bigint | undefined;
  readonly disk_max?: string | number | bigint | undefined;
  readonly secrets_scan?: boolean | undefined;
  readonly secrets_allowed?: readonly string[] | undefined;
}

/**
 * The rig's own settings win over the town's; what a rig says for all its runtimes wins over what the town says for one.
 * Errors (precondition): `bad_config`.
 */
export function rigShield(section: ShieldSection, defaults: ShieldSection | undefined, at: string): RigShield {
  const set = { ...defaults, ...section };
  const isOwn = section.isolation !== undefined;
  const shield: RigShield = {
    isolation: set.isolation ?? 'none',
    perRuntime: { ...(isOwn ? {} : defaults?.isolation_per_runtime), ...section.isolation_per_runtime },
    sandbox: sandboxSettings(set),
    limits: {
      memoryBytes: limit(set.memory_max ?? MEMORY_MAX_DEFAULT, `${at}.memory_max`),
      diskBytes: limit(set.disk_max ?? DISK_MAX_DEFAULT, `${at}.disk_max`),
    },
    secretsAllowed: set.secrets_scan === false ? null : (set.secrets_allowed ?? []),
  };
  refuseIncomplete(shield, at);
  return shield;
}

const sandboxSettings = (set: ShieldSection): RigShield['sandbox'] => ({
  network: set.network ?? 'on',
  command: set.isolation_command ?? null,
  image: set.isolation_image ?? null,
  read: set.isolation_read ?? [],
  write: set.isolation_write ?? [],
});

function limit(given: string | number | bigint, field: string): number | null {
  return given === SIZE_OFF ? null : parseSizeBytes(given, field);
}

function refuseIncomplete({ isolation: base, perRuntime, sandbox }: RigShield, at: string): void {
  const used = new Set([base, ...Object.values(perRuntime)]);
  refuseList(sandbox, used, at);
  const missing =
    sandbox.command === null && (used.has('container') || used.has('wrapper'))
      ? 'isolation_command'
      : sandbox.image === null && used.has('container')
        ? 'isolation_image'
        : null;
  if (missing === null) {
    if (!used.has('container') || containerEngine(sandbox.command) !== null) return;
    throw precondition(
      'bad_config',
      `${at}.isolation_command has no word "run": what stands before it is asked to remove a container.`,
      'For "container" that is a program like "podman run", "sudo docker run" or "docker --context other run".',
    );
  }
  throw precondition(
    'bad_config',
    `${at}.isolation needs ${missing}.`,
    missing === 'isolation_command'
      ? 'For "container" that is a program like "podman run", for "wrapper" a shell line that runs its arguments.'
      : 'Name the image that agents run in.',
  );
}

/** Nobody has made a way out of a container or of a user's own wrapper. */
function refuseList({ network }: RigShield['sandbox'], used: ReadonlySet<Isolation>, at: string): void {
  if (typeof network === 'string' || !(used.has('container') || used.has('wrapper'))) return;
  throw precondition(
    'bad_config',
    `${at}.network is a list of hosts, which holds with the isolation "bubblewrap" only.`,
    'Set it to "on" or "off", or isolation to "bubblewrap".',
  );
}
