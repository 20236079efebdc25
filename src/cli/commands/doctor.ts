import { TownError } from '../../core/errors.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { problem, type Check } from '../doctor/check.ts';
import { fileChecks } from '../doctor/files.ts';
import { isolationChecks } from '../doctor/isolation.ts';
import { diskCheck, gitCheck, nodeCheck } from '../doctor/machine.ts';
import { processChecks } from '../doctor/processes.ts';
import { repositoryChecks } from '../doctor/repositories.ts';
import { needsOf, runtimeChecks } from '../doctor/runtimes.ts';
import { stateChecks } from '../doctor/state.ts';
import { ok } from '../doctor/check.ts';
import { EXIT } from '../exit-codes.ts';
import { plain, state } from '../output.ts';

export const doctor: CommandSpec = {
  usage: 'gt doctor [--fix]',
  summary: 'find out what is wrong; changes nothing without --fix; exit 8 when something is',
  examples: ['gt doctor', 'gt doctor --json'],
  options: {
    fix: { type: 'boolean', help: 'set the permissions of files and folders right; nothing else is changed' },
  },
  notes: 'Its output holds no secrets and can be pasted into a report.',
  run: async (context, args) => {
    const first = await look(context);
    const mended = args.flag('fix') ? mend(first) : [];
    const checks = mended.length === 0 ? first : await look(context);
    const problems = checks.filter((check) => check.status === 'problem').length;
    if (context.json)
      context.print(
        JSON.stringify({
          ok: problems === 0,
          problems,
          mended,
          items: checks.map(({ mend: _mend, ...check }, index) => ({ id: index + 1, ...check })),
        }),
      );
    else
      context.print(
        [
          ...mended.map((what) => `mended: ${plain(what)}`),
          ...checks.map((check, index) => checkText(context, check, index + 1)),
        ].join('\n'),
      );
    return problems === 0 ? EXIT.ok : EXIT.doctor;
  },
};

async function look(context: Context): Promise<readonly Check[]> {
  return [nodeCheck(), await gitCheck(), ...(await townChecks(context))];
}

/** Does what the checks allow; answers what was mended. What can't be mended is found again by the second look. */
function mend(checks: readonly Check[]): readonly string[] {
  return checks.flatMap((check) => {
    if (check.mend === undefined) return [];
    try {
      check.mend();
      return [check.what];
    } catch {
      return [];
    }
  });
}

function checkText(context: Context, check: Check, number: number): string {
  const lines = [
    `${String(number).padStart(2)}  ${state(context.style, check.status)}  ${check.name}: ${plain(check.what)}`,
  ];
  if (check.why !== null) lines.push(`      why: ${check.why}`);
  if (check.fix !== null) lines.push(`      fix: ${check.fix}`);
  return lines.join('\n');
}

async function townChecks(context: Context): Promise<readonly Check[]> {
  let town: Town;
  try {
    town = context.town();
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return [problem('town', { what: error.message, why: 'commands need a town', fix: error.next })];
  }
  return [
    ok('town', town.paths.root),
    ...fileChecks(town),
    diskCheck(town),
    ...(await processChecks(town)),
    ...(await isolationChecks(town, context.env)),
    ...(await stateChecks(town)),
    ...(await repositoryChecks(town)),
    ...(await runtimeChecks(town, await needsOf(town))),
  ];
}
