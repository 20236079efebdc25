/** Commands of an agent about its own hook. They reach the town through the runner, which outlives the daemon. */
import type { HookItem } from '../../api/contract/agents.ts';
import type { Verdict } from '../../core/facts.ts';
import { conflict, precondition, usage } from '../../core/errors.ts';
import { CHECKPOINT_BYTES_MAX, REASON_CHARS_MAX } from '../../core/limits.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { plain } from '../output.ts';
import { agentEnv, ask } from '../agent-call.ts';
import { handIn } from '../hand-in.ts';
import { readText } from '../read-text.ts';

export const hook: CommandSpec = {
  usage: 'gt hook',
  summary: 'the one bead on my hook',
  examples: ['gt hook', 'gt hook --json'],
  run: async (context) => {
    const view = await ask<HookItem>(agentEnv(context.env), 'GET', '/agent/hook');
    context.print(
      context.json
        ? JSON.stringify(view)
        : `${view.bead.id}  ${plain(view.bead.title)}\n\n${plain(view.bead.body)}`.trimEnd(),
    );
    return EXIT.ok;
  },
};

export const prime: CommandSpec = {
  usage: 'gt prime',
  summary: 'what I am, what is on my hook, and what to do now',
  examples: ['gt prime', 'gt prime --json'],
  run: async (context) => {
    const view = await ask<{ prompt: string }>(agentEnv(context.env), 'GET', '/agent/prime');
    context.print(context.json ? JSON.stringify(view) : view.prompt);
    return EXIT.ok;
  },
};

export const checkpoint: CommandSpec = {
  usage: 'gt checkpoint <json or @file or ->',
  summary: 'save where I am, for the next attempt at the same work',
  examples: ['gt checkpoint \'{"step":"tests written"}\'', 'gt checkpoint @notes.json'],
  args: ['<json>'],
  run: async (context, args) => {
    const agent = agentEnv(context.env);
    const given = args.at(0);
    const text =
      given === '-' ? readText('-', 'json') : given.startsWith('@') ? readText(given.slice(1), 'json') : given;
    if (Buffer.byteLength(text) > CHECKPOINT_BYTES_MAX)
      throw usage(
        'too_large',
        `A checkpoint holds at most ${String(CHECKPOINT_BYTES_MAX)} bytes.`,
        'Save less: where you are, not what you did.',
      );
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      throw usage(
        'bad_json',
        'The checkpoint is not valid JSON.',
        'Put it in single quotes, for example \'{"step":"tests written"}\'.',
      );
    }
    const answer = await ask(agent, 'POST', '/agent/checkpoint', { data });
    context.print(context.json ? JSON.stringify(answer) : 'saved');
    return EXIT.ok;
  },
};

export const done: CommandSpec = {
  usage: 'gt done [--summary <text>] [--commit <message>] [--no-change <reason>]',
  summary: 'hand in the work: it is checked, then merged',
  examples: [
    'gt done --summary "login page fixed, test added"',
    'gt done --commit "Fix the login page"',
    'gt done --no-change "fixed by app-7k3qf already"',
  ],
  options: {
    summary: { type: 'string', value: 'text', help: 'what was done, in a sentence or two' },
    commit: { type: 'string', value: 'message', help: 'commit what is uncommitted first, with this message' },
    'no-change': { type: 'string', value: 'reason', help: 'nothing needs to change, because' },
  },
  run: async (context, args) => {
    const agent = agentEnv(context.env);
    const commit = args.text('commit') ?? null;
    const noChange = args.text('no-change') ?? null;
    if (commit !== null && noChange !== null)
      throw usage('commit_and_no_change', '--commit and --no-change exclude each other.', 'Give one of them.');
    if (noChange?.trim() === '' || commit?.trim() === '')
      throw usage('empty_text', 'The text of --commit or --no-change is empty.', 'Write one sentence.');
    const intent = {
      summary: limited('summary', args.text('summary') ?? ''),
      commit: commit === null ? null : limited('commit', commit),
      noChange: noChange === null ? null : limited('no-change', noChange),
    };
    return say(context, await handIn(agent, intent));
  },
};

function limited(name: string, text: string): string {
  if (text.length > REASON_CHARS_MAX)
    throw usage(
      'too_long',
      `--${name} is longer than ${String(REASON_CHARS_MAX)} characters.`,
      'Write a sentence or two.',
      name,
    );
  return text;
}

function say(context: Context, answer: Verdict): number {
  if (answer.verdict === 'refused')
    throw precondition(answer.code, answer.message, 'Correct that, then run "gt done" again.');
  if (answer.verdict === 'superseded')
    throw conflict('superseded', answer.message, 'Stop working: another attempt has this bead. Your commits are kept.');
  if (context.json) context.print(JSON.stringify(answer));
  else context.print(`${answer.verdict}: ${plain(answer.message)}`);
  return EXIT.ok;
}
