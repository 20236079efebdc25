/** Bundles a Worker and runs it in one `workerd` process on loopback: no account, no container, no network. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { rolldown } from 'rolldown';

/** A class of Durable Objects and the name that the Worker finds it under. */
export interface ObjectClass {
  readonly binding: string;
  readonly className: string;
}

/** The classes of the product's Worker; `wrangler.jsonc` names the same. */
export const TOWN_CLASSES: readonly ObjectClass[] = [
  { binding: 'TOWN', className: 'TownDO' },
  { binding: 'RIG', className: 'RigDO' },
  { binding: 'MAYOR', className: 'MayorDO' },
  { binding: 'STREAM', className: 'StreamDO' },
];

export interface WorkerdOptions {
  /** The bundle, from `bundleWorker`. */
  readonly bundle: string;
  /** Holds the configuration, and the objects' databases in `objects`. */
  readonly folder: string;
  readonly classes: readonly ObjectClass[];
  readonly texts: Readonly<Record<string, string>>;
  /** 0: a free one. */
  readonly port: number;
  /** True: what the Worker logs is shown. */
  readonly loud: boolean;
  /** One of several that share a bucket: experimental, and in newer versions only. */
  readonly cluster?: ClusterOptions;
}

export interface ClusterOptions {
  /** A `workerd` that knows clusters. */
  readonly binary: string;
  /** Of an S3-compatible bucket. */
  readonly endpoint: string;
  readonly address: string;
  /** The same for all of them. */
  readonly key: string;
  /** Divides the lease and other waits: 1 but in tests. */
  readonly timeDivisor: number;
}

export interface RunningWorkerd {
  readonly url: string;
  readonly pid: number;
  /** Resolves with what it said last, whenever and however it ends. */
  readonly ended: Promise<string>;
  /** SIGTERM, or SIGKILL as a crash; resolves when the process is gone. Lines of runners hold it for `withinMs`. */
  stop(signal: 'SIGTERM' | 'SIGKILL', withinMs?: number): Promise<void>;
}

const COMPATIBILITY_DATE = '2026-10-01';
/** workerd listens within 0.2 s; a loaded machine takes longer. */
const START_TIMEOUT_MS = 30_000;
/** Ends by itself on SIGTERM once requests are done. */
const STOP_TIMEOUT_MS = 5_000;

const CPU: Readonly<Record<string, string>> = { x64: '64', arm64: 'arm64' };

/** The binary of this machine. The package's own launcher is only a detour, and its install script an optimisation. */
export function workerdBinary(): string {
  const name = `@cloudflare/workerd-${process.platform}-${CPU[process.arch] ?? process.arch}/bin/workerd`;
  return createRequire(import.meta.url).resolve(name);
}

/** One ES module of the Worker and all it imports. */
export async function bundleWorker(entry: string, file: string): Promise<void> {
  const bundle = await rolldown({
    input: entry,
    external: [/^cloudflare:/],
    platform: 'neutral',
    tsconfig: false,
    resolve: { conditionNames: ['workerd', 'worker', 'import', 'default'], mainFields: ['module', 'main'] },
    logLevel: 'warn',
  });
  await bundle.write({ file, format: 'esm', minify: false, codeSplitting: false });
  await bundle.close();
}

const text = (value: string): string => JSON.stringify(value);

function configOf(options: WorkerdOptions): string {
  const namespaces = options.classes.map(
    ({ className }) =>
      `(className = ${text(className)}, uniqueKey = ${text(`gastown-${className}`)}, enableSql = true)`,
  );
  const bindings = [
    ...options.classes.map(
      ({ binding, className }) =>
        `(name = ${text(binding)}, durableObjectNamespace = (className = ${text(className)}))`,
    ),
    ...Object.entries(options.texts).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "objects", disk = (path = ${text(join(options.folder, 'objects'))}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${String(options.port)}", http = (), service = "main")],
${clusterOf(options.cluster)});
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed ${text(relative(options.folder, options.bundle))})],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  durableObjectNamespaces = [${namespaces.join(', ')}],
  durableObjectStorage = (localDisk = "objects"),
  bindings = [${bindings.join(', ')}],
);
`;
}

function clusterOf(cluster: ClusterOptions | undefined): string {
  if (cluster === undefined) return '';
  const bucket = {
    aws_endpoint: cluster.endpoint,
    aws_region: 'auto',
    aws_access_key_id: 'test',
    aws_secret_access_key: 'test',
    aws_allow_http: 'true',
  };
  const settings = Object.entries(bucket).map(([name, value]) => text(`${name}=${value}`));
  return `  cluster = (
    bucket = "s3://gt/town", bucketOptions = [${settings.join(', ')}],
    address = ${text(cluster.address)}, key = ${text(cluster.key)}, unsafeTimeDivisor = ${String(cluster.timeDivisor)},
  ),
`;
}

/** Starts it and waits until it listens. Secrets are in its configuration file, which only this user can read. */
export async function startWorkerd(options: WorkerdOptions): Promise<RunningWorkerd> {
  mkdirSync(join(options.folder, 'objects'), { recursive: true });
  const file = join(options.folder, 'workerd.capnp');
  writeFileSync(file, configOf(options), { mode: 0o600 });
  const experimental = options.cluster === undefined ? [] : ['--experimental'];
  const binary = options.cluster?.binary ?? workerdBinary();
  const child = spawn(binary, ['serve', ...experimental, file, '--control-fd=3'], {
    stdio: ['ignore', options.loud ? 'inherit' : 'pipe', options.loud ? 'inherit' : 'pipe', 'pipe'],
  });
  const port = await portOf(child);
  return {
    url: `http://127.0.0.1:${String(port)}`,
    pid: child.pid ?? 0,
    ended: new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(`workerd ended with ${String(code ?? signal)}`);
      });
    }),
    stop: (signal, withinMs = STOP_TIMEOUT_MS) => ended(child, signal, withinMs),
  };
}

/** workerd says on its control pipe where it listens. */
function portOf(child: ChildProcess): Promise<number> {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data: Buffer) => {
      said = `${said}${data.toString()}`.slice(-4_000);
    });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`workerd did not listen in time. ${said}`));
    }, START_TIMEOUT_MS);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`workerd ended with ${String(code)}. ${said}`));
    });
    let control = '';
    (child.stdio[3] as Readable).on('data', (data: Buffer) => {
      control += data.toString();
      const port = /"event":\s*"listen".*?"port":\s*(\d+)/.exec(control)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
  });
}

function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL', withinMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill(signal);
  });
}
