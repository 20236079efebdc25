import type { BeadItem } from '../../api/contract/beads.ts';
import { TownError, usage } from '../../core/errors.ts';
import { isBeadId, parseBeadId } from '../../core/model/ids.ts';
import { agentEnv, ask, hasHook } from '../agent-call.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, ExitError } from '../exit-codes.ts';
import { hintMissingRecipe } from '../missing-recipe.ts';
import { clientOf, segment, TownClient } from '../town-client.ts';
import { bodyOf, printBead, rigOf, textOf, titleOf, WORK_OPTIONS } from './bead.ts';

/**
 * One verb on one or more beads, in order. Each is a change of its own, so all ids are looked up before the first;
 * an error at a later one names what was done.
 * Errors: `bad_bead_id`, `duplicate_bead`, `bead_not_found`, those of the verb.
 */
export async function verb(
  context: Context,
  ids: readonly string[],
  call: {
    readonly path: string;
    readonly body: unknown;
    readonly after?: (client: TownClient, bead: BeadItem) => Promise<void>;
  },
): Promise<number> {
  const client = clientOf(context);
  if (ids.length > 1) await lookUp(client, ids);
  for (const [index, id] of ids.entries()) {
    try {
      const bead = await client.post<BeadItem>(`beads/${segment(id)}/${call.path}`, call.body);
      printBead(context, bead);
      await call.after?.(client, bead);
    } catch (error) {
      throw index === 0 ? error : afterOthers(error, ids, index);
    }
  }
  return EXIT.ok;
}

async function lookUp(client: TownClient, ids: readonly string[]): Promise<void> {
  const beads = ids.map(parseBeadId);
  const twice = beads.find((id, index) => beads.indexOf(id) !== index);
  if (twice !== undefined)
    throw usage('duplicate_bead', `The bead ${twice} is named twice.`, 'Name each bead once; nothing was changed.');
  for (const id of beads) await client.read(`beads/${segment(id)}`);
}

/** The error at one of several, with what became of the others: a repeat of all would do the first ones twice. */
function afterOthers(error: unknown, ids: readonly string[], at: number): unknown {
  if (!(error instanceof TownError)) return error;
  const rest = ids.slice(at + 1);
  const others = [
    `Done before it: ${ids.slice(0, at).join(', ')}.`,
    ...(rest.length === 0 ? [] : [`Not begun: ${rest.join(', ')}.`]),
  ].join(' ');
  const text = { message: `${ids[at] ?? ''}: ${error.message} ${others}`, next: error.next };
  if (error instanceof ExitError) return new ExitError(error.exitCode, error.code, text);
  return new TownError(error.kind, error.code, text, { field: error.field, cause: error });
}

export const close: CommandSpec = {
  usage: 'gt bead close <id> [--reason cancelled|no_change] [--note <text>]',
  summary: 'cancel a bead, or close it because nothing needs to change; its work is kept',
  examples: [
    'gt bead close app-7k3qf --note "not needed any more"',
    'gt bead close app-7k3qf --reason no_change --note "fixed elsewhere"',
  ],
  args: ['<id>'],
  options: {
    reason: { type: 'string', value: 'why', help: 'cancelled (default) or no_change' },
    note: { type: 'string', value: 'text', help: 'one sentence for the record' },
  },
  run: (context, args) =>
    verb(context, [args.at(0)], { path: 'close', body: { reason: args.text('reason'), note: args.text('note') } }),
};

export const updateBead: CommandSpec = {
  usage:
    'gt bead update <id> [--title <text>] [--body <text> | --body-file <file>] [--priority <p>] [--target-branch <name>]',
  summary: 'change a bead that has not ended; the next attempt reads what is written then',
  examples: ['gt bead update app-7k3qf --body-file task.md', 'gt bead update app-7k3qf --priority high'],
  args: ['<id>'],
  options: {
    title: { type: 'string', value: 'text', help: 'new title' },
    body: { type: 'string', value: 'text', help: 'new body' },
    'body-file': { type: 'string', value: 'file', help: 'read the body from a file; - is stdin' },
    priority: { type: 'string', value: 'p', help: 'critical, high, medium or low' },
    'target-branch': { type: 'string', value: 'name', help: 'branch it is merged into, before its work begins' },
    ...WORK_OPTIONS,
  },
  run: (context, args) => {
    const title = args.text('title');
    const body = {
      title:
        title === undefined ? undefined : titleOf(title, `gt bead update ${args.at(0)} --title "Fix the login page"`),
      body: bodyOf(args),
      priority: args.text('priority'),
      runtime: args.text('runtime'),
      model: args.text('model'),
      target_branch: args.text('target-branch'),
    };
    return verb(context, [args.at(0)], { path: 'update', body });
  },
};

export const hold: CommandSpec = {
  usage: 'gt bead hold <id> [--note <text>]',
  summary: 'keep a bead from running until it is released',
  examples: ['gt bead hold app-7k3qf --note "wait for the design"', 'gt bead hold app-7k3qf --json'],
  args: ['<id>'],
  options: { note: { type: 'string', value: 'text', help: 'why, for people' } },
  run: (context, args) => verb(context, [args.at(0)], { path: 'hold', body: { note: args.text('note') } }),
};

export const release: CommandSpec = {
  usage: 'gt bead release <id…>',
  summary: 'let held beads run',
  examples: ['gt bead release app-7k3qf', 'gt bead release app-7k3qf app-9m2aa'],
  args: ['<id>', '[id…]'],
  run: (context, args) => verb(context, args.positionals, { path: 'release', body: {} }),
};

export const retry: CommandSpec = {
  usage: 'gt bead retry <id…>',
  summary: 'try again now, instead of after the back-off or a hold',
  examples: ['gt bead retry app-7k3qf', 'gt bead retry app-7k3qf --json'],
  args: ['<id>', '[id…]'],
  run: (context, args) => verb(context, args.positionals, { path: 'retry', body: {} }),
};

export const reopen: CommandSpec = {
  usage: 'gt bead reopen <id…>',
  summary: 'do an ended bead again: a new bead takes its place, in its convoy and for what waits for it',
  examples: ['gt bead reopen app-7k3qf', 'gt bead reopen app-7k3qf --json'],
  args: ['<id>', '[id…]'],
  run: (context, args) => verb(context, args.positionals, { path: 'reopen', body: {} }),
};

export const unsling: CommandSpec = {
  usage: 'gt unsling <id…>',
  summary: 'take back work that has not started; it stays recorded',
  examples: ['gt unsling app-7k3qf', 'gt unsling app-7k3qf app-9m2aa'],
  args: ['<id>', '[id…]'],
  run: (context, args) => verb(context, args.positionals, { path: 'unsling', body: {} }),
};

const REVIEWERS_OWN = 'A review agent speaks of the branch on its hook and names no id; a person names the bead.';

/** A reviewer's word: of an agent about its own hook, through the runner; of a person about any bead. Errors: `no_bead`. */
async function say(
  context: Context,
  args: Arguments,
  said: { readonly path: string; readonly body: unknown },
): Promise<number> {
  const [id] = args.positionals;
  if (id !== undefined) return verb(context, [id], said);
  if (!hasHook(context.env))
    throw usage(
      'no_bead',
      'Say which bead is meant.',
      `Name it: "gt ${said.path} <id>"; "gt mq" lists what is in review.`,
    );
  printBead(context, await ask<BeadItem>(agentEnv(context.env), 'POST', `/agent/${said.path}`, said.body));
  return EXIT.ok;
}

export const requestChanges: CommandSpec = {
  usage: 'gt request-changes [id] [--comment <text> | --comment-file <file>] [--at <file>:<line>:<text>…]',
  summary: 'send a branch in review back to its agent; it leaves the merge train until the changes are made',
  examples: [
    'gt request-changes app-7k3qf --comment "keep the old name as an alias"',
    'gt request-changes app-7k3qf --at "src/login.ts:12: keep the old name as an alias"',
  ],
  args: ['[id]'],
  notes: REVIEWERS_OWN,
  options: {
    comment: { type: 'string', value: 'text', help: 'what should change' },
    at: {
      type: 'string',
      value: 'remark',
      help: 'file, line and words, with colons; repeatable ("gt bead diff" shows lines)',
    },
    'comment-file': { type: 'string', value: 'file', help: 'read it from a file; - is stdin' },
  },
  run: (context, args) => {
    const comment = textOf(args, 'comment');
    const comments = args.raw('at').map(remark);
    if ((comment ?? '').trim() === '' && comments.length === 0)
      throw usage(
        'no_comment',
        'A request for changes needs a comment.',
        'Say what should change with --comment, or where with --at.',
        'comment',
      );
    return say(context, args, { path: 'request-changes', body: { comment, comments } });
  },
};

/** Errors: `bad_remark`. */
function remark(text: string): { readonly path: string; readonly line: number; readonly text: string } {
  const found = /^(.+?):(\d{1,9}):\s*([^]+)$/.exec(text);
  if (found === null)
    throw usage(
      'bad_remark',
      `${JSON.stringify(text.slice(0, 80))} is not file, line and words.`,
      'Write it as --at "src/login.ts:12: keep the old name".',
      'at',
    );
  return { path: found[1] ?? '', line: Number(found[2]), text: found[3] ?? '' };
}

export const approve: CommandSpec = {
  usage: 'gt approve [id] [--comment <text> | --comment-file <file>]',
  summary: 'say that a branch in review is good; it is kept with the merge request, and the gates still decide',
  examples: ['gt approve app-7k3qf', 'gt approve app-7k3qf --comment "read it all, ran it"'],
  args: ['[id]'],
  notes: REVIEWERS_OWN,
  options: {
    comment: { type: 'string', value: 'text', help: 'what you looked at' },
    'comment-file': { type: 'string', value: 'file', help: 'read it from a file; - is stdin' },
  },
  run: (context, args) => say(context, args, { path: 'approve', body: { comment: textOf(args, 'comment') } }),
};

export const sling: CommandSpec = {
  usage: 'gt sling <bead…|"title"> [--rig <rig>] [--agent <name>]',
  summary: 'give work to an agent: beads that exist, or a new one by its title',
  examples: ['gt sling app-7k3qf app-9m2aa', 'gt sling "Fix the login page" --rig app --body-file notes.md'],
  args: ['<bead or title>', '[bead…]'],
  options: {
    rig: { type: 'string', value: 'rig', help: 'for a title: the rig it belongs to (default: GT_RIG)' },
    agent: { type: 'string', value: 'name', help: 'the one polecat of the rig that may take it, by name or identity' },
    body: { type: 'string', value: 'text', help: 'for a title: what is to be done' },
    'body-file': { type: 'string', value: 'file', help: 'for a title: read the body from a file; - is stdin' },
    priority: { type: 'string', value: 'p', help: 'for a title: critical, high, medium or low' },
    formula: { type: 'string', value: 'name', help: 'for a title: steps to follow, a name in formulas/ or a file' },
    ...WORK_OPTIONS,
  },
  run: async (context, args) => {
    const beads = args.positionals.filter(isBeadId);
    if (beads.length === args.positionals.length) return slingBeads(context, args);
    if (args.positionals.length > 1) {
      const odd = args.positionals.find((text) => !isBeadId(text)) ?? '';
      throw usage('bad_bead_id', `${JSON.stringify(odd)} is not a bead id.`, 'Give ids only, or one title in quotes.');
    }
    return slingTitle(context, args);
  },
};

function slingBeads(context: Context, args: Arguments): Promise<number> {
  const odd = ['rig', 'body', 'body-file', 'priority', 'formula'].find((name) => args.flag(name));
  if (odd !== undefined)
    throw usage('not_for_ids', `--${odd} is for a new bead, not for one that exists.`, `Leave --${odd} out.`, odd);
  return verb(context, args.positionals, {
    path: 'sling',
    body: { runtime: args.text('runtime'), model: args.text('model'), agent: args.text('agent') },
    after: (client, bead) => hintMissingRecipe(context, client, bead),
  });
}

async function slingTitle(context: Context, args: Arguments): Promise<number> {
  const formula = args.text('formula');
  const town = context.town();
  const input = {
    rig: rigOf(context, args),
    title: titleOf(args.at(0), 'gt sling "Fix the login page" --rig app'),
    body: bodyOf(args),
    priority: args.text('priority'),
    runtime: args.text('runtime'),
    model: args.text('model'),
    agent: args.text('agent'),
    sling: true,
    formula:
      formula === undefined ? undefined : (await import('../formula-file.ts')).readFormula(formula, town.paths.root),
  };
  const client = new TownClient(town);
  const bead = await client.post<BeadItem>('beads', input);
  printBead(context, bead);
  await hintMissingRecipe(context, client, bead);
  context.hint(`Watch it with: gt why ${bead.id}`);
  return EXIT.ok;
}
