/** Molecules: formulas attached to beads, and, for agents, the steps of the bead on the hook. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BeadDetailItem } from '../../api/contract/beads.ts';
import type { MoleculeItem } from '../../api/contract/molecules.ts';
import { precondition, TownError, usage } from '../../core/errors.ts';
import { FORMULA_STEPS_MAX } from '../../core/limits.ts';
import { agentEnv, ask } from '../agent-call.ts';
import type { AgentEnv } from '../agent-call.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { formulaNames, FORMULA_FOLDER, readFormula } from '../formula-file.ts';
import { plain } from '../output.ts';
import { stepLines } from '../step-lines.ts';
import { clientOf, segment, TownClient } from '../town-client.ts';

export const attach: CommandSpec = {
  usage: 'gt mol attach <bead> <formula>',
  summary: 'give a bead that has not started the steps of a formula',
  examples: ['gt mol attach app-7k3qf feature', 'gt mol attach app-7k3qf ./release.toml --json'],
  args: ['<bead>', '<formula>'],
  notes: `A formula is a file in ${FORMULA_FOLDER}/:\n  [[steps]]\n  title = "Write the test"\n  instructions = "It must fail first."\n  [[steps]]\n  title = "Make it pass"`,
  run: async (context, args) => {
    const town = context.town();
    const path = `beads/${segment(args.at(0))}/formula`;
    const bead = await new TownClient(town).post<BeadDetailItem>(path, readFormula(args.at(1), town.paths.root));
    return show(context, bead);
  },
};

export const showMolecule: CommandSpec = {
  usage: 'gt mol show <bead>',
  summary: 'the steps of a bead and how far they are',
  examples: ['gt mol show app-7k3qf', 'gt mol show app-7k3qf --json'],
  args: ['<bead>'],
  run: async (context, args) =>
    show(context, await clientOf(context).get<BeadDetailItem>(`beads/${segment(args.at(0))}`)),
};

/** One that is broken must not hide the others. */
function readable(name: string, root: string): ReturnType<typeof readFormula> | TownError {
  try {
    return readFormula(name, root);
  } catch (error) {
    if (error instanceof TownError) return error;
    throw error;
  }
}

export const listFormulas: CommandSpec = {
  usage: 'gt mol list',
  summary: 'the formulas of this town',
  examples: ['gt mol list', 'gt mol list --json'],
  run: (context) => {
    const { root } = context.town().paths;
    const read = formulaNames(root).map((name) => ({ name, formula: readable(name, root) }));
    const items = read.flatMap(({ name, formula }) =>
      formula instanceof TownError ? [] : [{ name, steps: formula.steps }],
    );
    if (context.json) context.print(JSON.stringify({ items, next: null }));
    else if (read.length === 0) context.hint(`No formulas. Put files like feature.toml into ${FORMULA_FOLDER}/.`);
    for (const { name, steps } of context.json ? [] : items)
      context.print(`${plain(name)}  ${plain(steps.map((step) => step.title).join(' · '))}`);
    for (const { name, formula } of read)
      if (formula instanceof TownError) context.hint(`${name} can't be read: ${formula.message} ${formula.next}`);
    return Promise.resolve(EXIT.ok);
  },
};

function show(context: Context, bead: BeadDetailItem): number {
  if (bead.molecule === null)
    throw precondition(
      'no_molecule',
      `${bead.id} follows no formula.`,
      `Attach one with "gt mol attach ${bead.id} <formula>".`,
    );
  context.print(context.json ? JSON.stringify(bead.molecule) : stepLines(context, bead.molecule).join('\n'));
  return EXIT.ok;
}

export const current: CommandSpec = {
  usage: 'gt mol current',
  summary: 'for agents: the step of my formula that is next',
  examples: ['gt mol current', 'gt mol current --json'],
  run: async (context) => say(context, await fetchOwn(agentEnv(context.env))),
};

interface Report {
  readonly step: number;
  readonly status: 'done' | 'skipped';
  readonly summary: string;
}

export const advance: CommandSpec = {
  usage: 'gt mol advance --summary <text> | --skip <why> [--step <number>]',
  summary: 'for agents: the present step is done, or left out for a reason',
  examples: ['gt mol advance --summary "Parser and its tests"', 'gt mol advance --skip "There is no public API"'],
  options: {
    summary: { type: 'string', value: 'text', help: 'what was done' },
    skip: { type: 'string', value: 'why', help: 'leave the step out, and why' },
    step: { type: 'string', value: 'number', help: 'which step; without it the present one' },
  },
  run: async (context, args) => {
    const agent = agentEnv(context.env);
    const words = wordsOf(args);
    const given = args.number('step', { min: 1, max: FORMULA_STEPS_MAX });
    const step = given ?? unanswered(agent, words) ?? (await fetchOwn(agent)).current;
    if (step === null) throw precondition('no_open_step', 'No step is open.', 'Finish with "gt done".');
    return say(context, await report(agent, { ...words, step }));
  },
};

function wordsOf(args: Arguments): Omit<Report, 'step'> {
  const summary = args.text('summary');
  const skip = args.text('skip');
  const text = summary ?? skip;
  if (text === undefined || (summary !== undefined && skip !== undefined))
    throw usage('no_summary', 'It is not said what came of the step.', 'Add --summary "<text>" or --skip "<why>".');
  return { status: skip === undefined ? 'done' : 'skipped', summary: text };
}

const reportFile = (agent: AgentEnv): string => join(agent.stateDir, 'advance.json');

/**
 * Which step the same words were about when no answer came: said again they must not settle the next step as well. The
 * report is written before it is sent, and forgotten with its answer.
 */
function unanswered(agent: AgentEnv, words: Omit<Report, 'step'>): number | null {
  try {
    const known = JSON.parse(readFileSync(reportFile(agent), 'utf8')) as Partial<Report>;
    return known.status === words.status && known.summary === words.summary ? (known.step ?? null) : null;
  } catch {
    return null;
  }
}

async function report(agent: AgentEnv, body: Report): Promise<MoleculeItem> {
  writeFileSync(reportFile(agent), JSON.stringify(body), { mode: 0o600 });
  try {
    const molecule = await askSteps(agent, 'POST', '/agent/mol/advance', body);
    rmSync(reportFile(agent), { force: true });
    return molecule;
  } catch (error) {
    if (error instanceof TownError && !NO_VERDICT.has(error.kind)) rmSync(reportFile(agent), { force: true });
    throw error;
  }
}

/** Errors that do not say whether the report was taken. */
const NO_VERDICT: ReadonlySet<string> = new Set(['busy', 'unreachable', 'internal']);

const fetchOwn = (agent: AgentEnv): Promise<MoleculeItem> => askSteps(agent, 'GET', '/agent/mol');

const askSteps = (...call: Parameters<typeof ask>): Promise<MoleculeItem> => ask<MoleculeItem>(...call);

function say(context: Context, molecule: MoleculeItem): number {
  if (context.json) {
    context.print(JSON.stringify(molecule));
    return EXIT.ok;
  }
  const step = molecule.steps.find((one) => one.number === molecule.current);
  if (step === undefined) context.print(`All ${String(molecule.steps.length)} steps are behind you: gt done`);
  else
    context.print(
      plain(
        `Step ${String(step.number)} of ${String(molecule.steps.length)}${step.optional ? ' (optional)' : ''}: ${step.title}\n\n${step.instructions}`.trimEnd(),
      ),
    );
  return EXIT.ok;
}
