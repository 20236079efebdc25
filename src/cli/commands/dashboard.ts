import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SignInLinkItem } from '../../api/contract/sign-in.ts';
import { ROLES } from '../../api/contract/roles.ts';
import { TownError, usage } from '../../core/errors.ts';
import { daemonStatus } from '../../hosts/node/daemon-state.ts';
import { isWebBuilt } from '../../hosts/node/web-files.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { TownClient } from '../town-client.ts';

/** The dashboard's sources: only a clone has them. */
const SOURCE = fileURLToPath(new URL('../../../web/', import.meta.url));

export const dashboard: CommandSpec = {
  usage: 'gt dashboard [--print] [--role viewer|operator|owner] [--token]',
  summary: 'opens the web dashboard in a browser by a link that signs in once',
  examples: ['gt dashboard', 'gt dashboard --role viewer --print'],
  options: {
    print: { type: 'boolean', help: 'only say the link' },
    role: { type: 'string', value: 'role', help: 'viewer reads, operator works, owner (default) also sets up' },
    token: { type: 'boolean', help: 'also a bearer token of that role for a week, for a program such as Prometheus' },
  },
  run: async (context, args) => {
    const role = args.text('role') ?? 'owner';
    if (!ROLES.some((one) => one === role))
      throw usage('bad_role', `There is no role ${JSON.stringify(role)}.`, `Use one of ${ROLES.join(', ')}.`, '--role');
    const town = context.town();
    const link = await new TownClient(town).post<SignInLinkItem>('sign-in-links', { role, token: args.flag('token') });
    const { url } = daemonStatus(town.paths, town.paths.pidFile);
    if (url === null)
      throw new TownError('unreachable', 'daemon_down', {
        message: 'The daemon does not say where it listens.',
        next: 'Look at it with "gt daemon status".',
      });
    await buildIfMissing(context);
    const address = `${url}${link.path}`;
    const { token, expires_at } = link;
    if (context.json) context.print(JSON.stringify({ url: address, role, expires_at, token }));
    else {
      context.print(address);
      if (token !== null) context.print(token);
      context.hint('The link signs in once, within five minutes.');
    }
    if (!context.json && !args.flag('print') && context.style.terminal) open(address);
    return EXIT.ok;
  },
};

/** A package brings the built dashboard along; a clone builds it when it is first wanted. */
async function buildIfMissing(context: Context): Promise<void> {
  if (isWebBuilt() || !existsSync(SOURCE)) return;
  context.hint('Building the dashboard, once …');
  const vite = createRequire(new URL('package.json', `file://${SOURCE}`)).resolve('vite/package.json');
  const program = vite.replace(/package\.json$/, 'bin/vite.js');
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn(process.execPath, [program, 'build', SOURCE, '--logLevel', 'warn'], {
      stdio: ['ignore', 2, 2],
    });
    child.once('error', () => {
      resolve(null);
    });
    child.once('close', resolve);
  });
  if (code !== 0)
    throw new TownError('precondition', 'dashboard_not_built', {
      message: 'The dashboard could not be built.',
      next: 'Run "npm ci" in the clone, then "npm run build:web", and look at what it says.',
    });
}

/** A browser that is not there is no error: the link is printed. */
function open(address: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [address], { detached: true, stdio: 'ignore' });
  child.on('error', () => undefined);
  child.unref();
}
