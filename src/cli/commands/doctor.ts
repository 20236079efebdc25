import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { TownError } from '../../core/errors.ts';
import { loadConfig } from '../../hosts/node/config.ts';
import { runnerStatus, statusOf } from '../../hosts/node/daemon-control.ts';
import { git } from '../../hosts/node/git.ts';
import { readDesired, readSecrets } from '../../hosts/node/town-files.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import type { StatusItem } from '../../api/contract/town.ts';
import type { CommandSpec } from '../command.ts';
import { TownClient } from '../town-client.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { plain, state } from '../output.ts';

/** The first Node with all of `node:sqlite` and type stripping that we use. */
const NODE_MIN = [22, 14] as const;
/** `git merge-tree --write-tree` came with 2.38. */
const GIT_MIN = [2, 38] as const;
/** Below this a clone, a worktree or the log of a database may fail any moment. */
const DISK_FREE_BYTES_MIN = 1024 * 1024 * 1024;

interface Check {
  readonly name: string;
  readonly status: 'ok' | 'problem' | 'note';
  readonly what: string;
  readonly why: string | null;
  /** One command, or one sentence. */
  readonly fix: string | null;
}

const ok = (name: string, what: string): Check => ({ name, status: 'ok', what, why: null, fix: null });
const problem = (name: string, text: { readonly what: string; readonly why: string; readonly fix: string }): Check => ({
  name,
  status: 'problem',
  ...text,
});
const note = (name: string, text: { readonly what: string; readonly why: string; readonly fix: string }): Check => ({
  name,
  status: 'note',
  ...text,
});

export const doctor: CommandSpec = {
  usage: 'gt doctor',
  summary: 'find out what is wrong; changes nothing; exit 8 when something is',
  examples: ['gt doctor', 'gt doctor --json'],
  notes: 'Its output holds no secrets and can be pasted into a report.',
  run: async (context) => {
    const checks = [nodeCheck(), await gitCheck(), ...(await townChecks(context))];
    const problems = checks.filter((check) => check.status === 'problem').length;
    if (context.json)
      context.print(
        JSON.stringify({
          ok: problems === 0,
          problems,
          items: checks.map((check, index) => ({ id: index + 1, ...check })),
        }),
      );
    else context.print(checks.map((check, index) => checkText(context, check, index + 1)).join('\n'));
    return problems === 0 ? EXIT.ok : EXIT.doctor;
  },
};

function checkText(context: Context, check: Check, number: number): string {
  const lines = [
    `${String(number).padStart(2)}  ${state(context.style, check.status)}  ${check.name}: ${plain(check.what)}`,
  ];
  if (check.why !== null) lines.push(`      why: ${check.why}`);
  if (check.fix !== null) lines.push(`      fix: ${check.fix}`);
  return lines.join('\n');
}

const atLeast = (version: readonly (number | undefined)[], min: readonly [number, number]): boolean => {
  const [major = 0, minor = 0] = version;
  return major > min[0] || (major === min[0] && minor >= min[1]);
};

function nodeCheck(): Check {
  const version = process.versions.node.split('.').map(Number);
  if (atLeast(version, NODE_MIN)) return ok('node', process.versions.node);
  return problem('node', {
    what: process.versions.node,
    why: `${NODE_MIN.join('.')} or newer is needed`,
    fix: 'npx -p node@24 -p @gastown/gt gt doctor',
  });
}

async function gitCheck(): Promise<Check> {
  const answer = await git(['version']);
  const text = /\d+\.\d+[.\d]*/.exec(answer.stdout)?.[0];
  if (!answer.ok || text === undefined)
    return problem('git', {
      what: 'not found',
      why: 'agents work in git worktrees',
      fix: 'Install git with the package manager of this machine.',
    });
  if (atLeast(text.split('.').map(Number), GIT_MIN)) return ok('git', text);
  return problem('git', {
    what: text,
    why: `${GIT_MIN.join('.')} or newer is needed: merges happen without a worktree`,
    fix: 'Install a newer git with the package manager of this machine.',
  });
}

async function townChecks(context: Context): Promise<readonly Check[]> {
  let town: Town;
  try {
    town = context.town();
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return [problem('town', { what: error.message, why: 'commands need a town', fix: error.next })];
  }
  const checks = [ok('town', town.paths.root), secretsCheck(town), writableCheck(town), diskCheck(town)];
  return [...checks, ...(await processChecks(town)), ...(await stateChecks(town)), ...(await configChecks(town))];
}

function secretsCheck(town: Town): Check {
  const path = town.paths.secrets;
  try {
    readSecrets(town.paths);
  } catch (error) {
    return problem('secrets', {
      what: error instanceof Error ? error.message : String(error),
      why: 'nothing can be signed or checked without them',
      fix: `gt init ${town.paths.root}`,
    });
  }
  if ((statSync(path).mode & 0o077) !== 0)
    return problem('secrets', {
      what: `${path} can be read by others`,
      why: 'whoever reads it can do everything in this town',
      fix: `chmod 600 ${path}`,
    });
  return ok('secrets', 'private');
}

function writableCheck(town: Town): Check {
  for (const path of [town.paths.dataDir, town.paths.daemonDir]) {
    try {
      accessSync(path, constants.W_OK);
    } catch {
      return problem('files', {
        what: `${path} can't be written`,
        why: 'the town could not record anything',
        fix: `chmod u+rwx ${path}`,
      });
    }
  }
  return ok('files', existsSync(town.paths.townDb) ? 'complete' : 'complete; the town has not run yet');
}

function diskCheck(town: Town): Check {
  const stat = statfsSync(town.paths.root);
  const freeBytes = stat.bavail * stat.bsize;
  const text = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free`;
  if (freeBytes >= DISK_FREE_BYTES_MIN) return ok('disk', text);
  return problem('disk', {
    what: text,
    why: 'clones, worktrees and databases need room',
    fix: `du -sh ${town.paths.dataDir}/*`,
  });
}

async function processChecks(town: Town): Promise<readonly Check[]> {
  let status: ReturnType<typeof statusOf>;
  try {
    status = statusOf(town);
  } catch {
    // The configuration is wrong; its own check says so.
    return [];
  }
  const runner = await runnerStatus(town);
  const isMeantDown = readDesired(town.paths) === 'down';
  const checks: Check[] = [];
  if (status.running) checks.push(ok('daemon', `pid ${String(status.pid)} ${status.url ?? ''}`.trim()));
  else if (isMeantDown || status.state === null)
    checks.push(
      note('daemon', {
        what: 'not running',
        why: isMeantDown ? 'it was stopped by "gt down"' : 'it was never started',
        fix: 'gt up',
      }),
    );
  else
    checks.push(
      problem('daemon', {
        what: 'not running',
        why: status.state.running ? 'it ended uncleanly; a start recovers by itself' : 'it was stopped',
        fix: 'gt up',
      }),
    );
  if (runner.running) checks.push(ok('runner', `pid ${String(runner.pid)}, ${String(runner.agents)} agents`));
  else if (status.running)
    checks.push(
      problem('runner', {
        what: 'does not answer',
        why: 'no agent can run without it; the daemon starts it again by itself',
        fix: `tail -n 20 ${town.paths.runnerLog}`,
      }),
    );
  return checks;
}

/** What is recorded must hold together; the checker reads the databases, also while the daemon is down. */
async function stateChecks(town: Town): Promise<readonly Check[]> {
  try {
    const { violations } = await new TownClient(town).get<StatusItem>('status');
    if (violations.length === 0) return [ok('invariants', 'all hold')];
    return violations.map((what) =>
      problem('invariants', {
        what,
        why: 'the recorded state contradicts itself: this is a fault of gt',
        fix: 'gt feed --json, and report it with this text',
      }),
    );
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return [
      problem('invariants', { what: error.message, why: 'the recorded state could not be read', fix: error.next }),
    ];
  }
}

async function configChecks(town: Town): Promise<readonly Check[]> {
  try {
    const config = loadConfig(town.paths, process.env);
    const checks = config.rigs.map(async (rig) => {
      const answer = await git(['ls-remote', '--exit-code', '--', rig.url, `refs/heads/${rig.targetBranch}`]);
      if (answer.ok) return ok(`rig ${rig.name}`, `${rig.url} (${rig.targetBranch})`);
      const why = answer.stderr.trim().split('\n')[0] ?? '';
      return problem(`rig ${rig.name}`, {
        what: `${rig.url} has no branch ${rig.targetBranch}, or can't be read`,
        why: why === '' ? 'work is fetched from there and merged there' : plain(why),
        fix: `git ls-remote ${rig.url}`,
      });
    });
    return [ok('configuration', town.paths.config), ...(await Promise.all(checks))];
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return [
      problem('configuration', { what: error.message, why: 'the daemon does not start with it', fix: error.next }),
    ];
  }
}
