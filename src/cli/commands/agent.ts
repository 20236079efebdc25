/** Commands of an agent about its own hook. They reach the town through the runner, which outlives the daemon. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { HookItem } from '../../api/contract/agents.ts';
import type { Verdict } from '../../core/facts.ts';
import { conflict, precondition, usage } from '../../core/errors.ts';
import { CHECKPOINT_BYTES_MAX, REASON_CHARS_MAX } from '../../core/limits.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { plain } from '../output.ts';
import { agentEnv, ask, call } from '../agent-call.ts';
import type { AgentEnv } from '../agent-call.ts';
import { NoAnswer, NotListening } from '../socket-http.ts';
import type { SocketAnswer } from '../socket-http.ts';
import { errorOf } from '../town-client.ts';
import { readText } from '../read-text.ts';

export const hook: CommandSpec = {
  usage: 'gt hook',
  summary: 'the one bead on my hook',
  examples: ['gt hook', 'gt hook --json'],
  run: async (context) => {
    const view = (await ask(agentEnv(context.env), 'GET', '/agent/hook')) as HookItem;
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
    const view = (await ask(agentEnv(context.env), 'GET', '/agent/prime')) as { prompt: string };
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
    // The intent counts as the call, whatever happens to us or to the runner from here on.
    writeIntent(agent.stateDir, { ...intent, at: Date.now() });
    return verdict(context, agent, intent);
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

/** Errors: `state_dir_unwritable`. */
function writeIntent(stateDir: string, intent: unknown): void {
  const path = join(stateDir, 'done.json');
  const temporary = `${path}.${String(process.pid)}.tmp`;
  try {
    const file = openSync(temporary, 'w', 0o600);
    writeSync(file, JSON.stringify(intent));
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, path);
  } catch (error) {
    throw precondition(
      'state_dir_unwritable',
      `The intent can't be written to ${stateDir}: ${error instanceof Error ? error.message : String(error)}.`,
      'Keep your commits; the runner hands them in when you exit.',
    );
  }
}

async function verdict(context: Context, agent: AgentEnv, intent: unknown): Promise<number> {
  let answer: SocketAnswer;
  try {
    answer = await call(agent, 'POST', '/agent/done', intent);
  } catch (error) {
    if (!(error instanceof NotListening) && !(error instanceof NoAnswer)) throw error;
    return say(context, {
      verdict: 'pending',
      message: 'The runner does not answer; your intent is written and counts.',
    });
  }
  if (answer.status < 200 || answer.status >= 300) {
    const error = errorOf(answer);
    // A server's own fault is not a verdict: the intent is on disk and counts.
    if (error.kind === 'internal' || error.kind === 'busy' || error.kind === 'unreachable')
      return say(context, { verdict: 'pending', message: `${error.message} Your intent is written and counts.` });
    throw error;
  }
  return say(context, JSON.parse(answer.text) as Verdict);
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
