/**
 * `npm run dev:workerd`: a town of Durable Objects on this machine: one `workerd serve` process, no container, no
 * account. Its storage lies in a folder and is there again at the next start. `-- --demo` gives it the demo's work.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { demoConvoy } from '../src/cli/demo/plan.ts';
import { makeRemote } from '../src/cli/demo/remotes.ts';
import { DEMO_REPOSITORIES } from '../src/cli/demo/repositories.ts';
import { takeLock } from '../src/hosts/node/lock.ts';
import { bundleWorker, startWorkerd, TOWN_CLASSES, type RunningWorkerd } from './workerd.ts';

const USAGE = 'npm run dev:workerd [-- --dir <folder>] [--port <n>] [--demo] [--quiet]';
/** Not one that other tools take by default. */
const PORT = 7787;
/** 192 bits, as text without separators. */
const SECRET_BYTES = 24;
const PRIVATE = 0o600;
const RUNNER = 'first';
/** Requests under way may end; lines of runners do not, and what is stored is safe at any moment. */
const STOP_MS = 1_000;
const root = join(import.meta.dirname, '..');

interface Secrets {
  readonly id: string;
  readonly owner: string;
  readonly runner: string;
  readonly capability: string;
}

interface DevTown {
  readonly folder: string;
  readonly secrets: Secrets;
  readonly workerd: RunningWorkerd;
}

function options(): { readonly folder: string; readonly port: number; readonly demo: boolean; readonly loud: boolean } {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string', default: '.gt-workerd' },
      port: { type: 'string', default: String(PORT) },
      demo: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port} is no port`);
  const folder = resolve(process.env['INIT_CWD'] ?? process.cwd(), values.dir);
  return { folder, port, demo: values.demo, loud: !values.quiet };
}

/** Made once: a town's tokens and its name stay what they are. */
function secretsIn(folder: string): Secrets {
  const file = join(folder, 'secrets.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
  const secret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
  const secrets = {
    id: `dev-${randomBytes(4).toString('hex')}`,
    owner: secret(),
    runner: secret(),
    capability: secret(),
  };
  writeFileSync(file, `${JSON.stringify(secrets)}\n`, { mode: PRIVATE });
  writeFileSync(join(folder, 'owner.token'), `${secrets.owner}\n`, { mode: PRIVATE });
  return secrets;
}

async function start(folder: string, port: number, loud: boolean): Promise<DevTown> {
  const secrets = secretsIn(folder);
  const bundle = join(folder, 'worker.js');
  await bundleWorker(join(root, 'src', 'hosts', 'cloudflare', 'worker.ts'), bundle);
  const workerd = await startWorkerd({
    bundle,
    folder,
    classes: TOWN_CLASSES,
    texts: {
      GT_TOWN_ID: secrets.id,
      GT_TOWN_NAME: 'dev',
      GT_OWNER_TOKEN: secrets.owner,
      GT_RUNNER_SECRET: secrets.runner,
      GT_CAPABILITY_KEY: secrets.capability,
    },
    port,
    loud,
  });
  return { folder, secrets, workerd };
}

async function ask<T>(town: DevTown, method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${town.workerd.url}/api/v1/towns/_/${path}`, {
    method,
    headers: { authorization: `Bearer ${town.secrets.owner}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${String(answer.status)}: ${text.slice(0, 400)}`);
  return JSON.parse(text) as T;
}

/** The first runner is registered here, so that its token is in a file before anybody types a command. */
async function registerRunner(town: DevTown): Promise<string> {
  const file = join(town.folder, `${RUNNER}.token`);
  const known = await ask<{ items: readonly { id: string }[] }>(town, 'GET', 'runners');
  if (existsSync(file) && known.items.some(({ id }) => id === RUNNER)) return file;
  const isKnown = known.items.some(({ id }) => id === RUNNER);
  const { token } = await ask<{ token: string }>(
    town,
    'POST',
    isKnown ? `runners/${RUNNER}/rotate` : 'runners',
    isKnown ? {} : { name: RUNNER },
  );
  writeFileSync(file, `${token}\n`, { mode: PRIVATE });
  return file;
}

/** The demo's repositories and its convoy, once per folder. Answers the convoy. */
async function slingDemo(town: DevTown): Promise<string> {
  const { items } = await ask<{ items: readonly { id: string }[] }>(town, 'GET', 'convoys');
  const [first] = items;
  if (first !== undefined) return first.id;
  const known = await ask<{ items: readonly { id: string }[] }>(town, 'GET', 'rigs');
  for (const repository of DEMO_REPOSITORIES) {
    if (known.items.some(({ id }) => id === repository.name)) continue;
    const bare = join(town.folder, `${repository.name}.git`);
    const url = existsSync(bare) ? bare : await makeRemote(town.folder, repository);
    const gates = [{ name: 'test', run: repository.gate }];
    await ask(town, 'POST', 'rigs', { name: repository.name, url, gates });
  }
  return (await ask<{ id: string }>(town, 'POST', 'convoys', demoConvoy(town.folder))).id;
}

const quoted = (text: string): string => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

function say(town: DevTown, runnerToken: string, convoy: string | null): void {
  const gt = quoted(join(root, 'gt'));
  const owner = join(town.folder, 'owner.token');
  const { url } = town.workerd;
  const runnerDir = join(town.folder, RUNNER);
  console.log(
    [
      `A town of Durable Objects runs at ${url} (workerd, pid ${String(town.workerd.pid)}).`,
      `  storage           ${town.folder}`,
      `  owner's token     ${owner}`,
      '',
      'Its first runner, in a second terminal:',
      `  ${gt} runner --town ${url} --dir ${quoted(runnerDir)} --token-file ${quoted(runnerToken)}`,
      '',
      'gt for this town, in a third:',
      `  export GT_TOWN_ROOT=${url} GT_OWNER_TOKEN_FILE=${quoted(owner)}`,
      `  ${gt} status`,
      ...(convoy === null
        ? [`  ${gt} rig add app <git-url>`]
        : [`  ${gt} convoy show ${convoy}     # the demo's convoy; it goes on once the runner is there`]),
      '',
      'Ctrl-C ends it; the same command goes on from what is stored.',
    ].join('\n'),
  );
}

async function main(): Promise<number> {
  const { folder, port, demo, loud } = options();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = takeLock(join(folder, 'lock'));
  if (lock === null) throw new Error(`another dev:workerd runs in ${folder}; give this one a folder with --dir`);
  const asked = new Promise<string>((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        stop(signal);
      });
  });
  const town = await start(folder, port, loud);
  try {
    const token = await registerRunner(town);
    say(town, token, demo ? await slingDemo(town) : null);
    const why = await Promise.race([asked, town.workerd.ended]);
    // Ctrl-C reaches both processes of a terminal, in any order.
    if (/SIG(?:INT|TERM)$/.test(why)) return 0;
    console.error(why);
    return 1;
  } finally {
    await town.workerd.stop('SIGTERM', STOP_MS);
    lock.release();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`dev:workerd: ${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}`);
  process.exitCode = 1;
}
