/** The conversation with the mayor. People speak with the owner's token; `reply` is the mayor's own. */
import type { MayorItem, MayorMessageItem, MayorMessagePage } from '../../api/contract/mayor.ts';
import { TownError, usage } from '../../core/errors.ts';
import { agentEnv, ask } from '../agent-call.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, plain } from '../output.ts';
import { clientOf, query, type TownClient } from '../town-client.ts';
import { bodyOf } from './bead.ts';

/** One call; the API takes no longer ones. */
const CALL_WAIT_MS = 45_000;
const WAIT_MAX_S = 3_600;
const LOG_DEFAULT = 50;

export const start: CommandSpec = {
  usage: 'gt mayor start',
  summary: 'let the mayor run whenever there is something for it to do',
  examples: ['gt mayor start', 'gt mayor start --json'],
  run: (context) => change(context, 'start'),
};

export const stop: CommandSpec = {
  usage: 'gt mayor stop',
  summary: 'end its session; messages and mail wait for the next start',
  examples: ['gt mayor stop', 'gt mayor stop --json'],
  run: (context) => change(context, 'stop'),
};

async function change(context: Context, verb: 'start' | 'stop'): Promise<number> {
  return show(context, await clientOf(context).post<MayorItem>(`mayor/${verb}`, {}));
}

export const status: CommandSpec = {
  usage: 'gt mayor status',
  summary: 'whether it runs, and what waits for it',
  examples: ['gt mayor status', 'gt mayor status --json'],
  run: async (context) => show(context, await clientOf(context).get<MayorItem>('mayor')),
};

function show(context: Context, mayor: MayorItem): number {
  context.print(context.json ? JSON.stringify(mayor) : sentence(mayor, context));
  return EXIT.ok;
}

function sentence(mayor: MayorItem, context: Context): string {
  if (!mayor.configured)
    return 'This town has no mayor. Add [mayor] with command = "…" to gastown.toml; everything else works without.';
  const waits = `${String(mayor.waiting_messages + mayor.open_messages)} messages and ${String(mayor.unread_mail)} mails wait`;
  const parts = [
    `mayor    ${mayor.status} (${mayor.runtime ?? ''}${mayor.attempt === null ? '' : `, ${mayor.attempt}`})`,
  ];
  parts.push(`waiting  ${waits}`);
  if (mayor.failures > 0)
    parts.push(
      `failed   ${String(mayor.failures)} times in a row${mayor.breaker_open ? '; its breaker is open' : ''}${mayor.retry_at === null ? '' : `, tried again ${until(mayor.retry_at, context)}`}`,
    );
  if (mayor.no_runner !== null && mayor.runner === null) parts.push(`runner   ${mayor.no_runner}: gt runner list`);
  if (mayor.status === 'stopped') parts.push('next     gt mayor start');
  return parts.join('\n');
}

const until = (atMs: number, context: Context): string => {
  const seconds = Math.ceil((atMs - context.style.nowMs) / 1_000);
  return seconds <= 0 ? 'now' : `in ${String(seconds)} s`;
};

export const message: CommandSpec = {
  usage: 'gt mayor message <text> [--wait <seconds>]',
  summary: 'say something to the mayor; it makes no bead',
  examples: ['gt mayor message "What is stuck?" --wait 300', 'gt mayor message --body-file plan.md'],
  args: ['[text]'],
  options: {
    wait: { type: 'string', value: 'seconds', help: 'wait so long for the answer and print it' },
    body: { type: 'string', value: 'text', help: 'the text' },
    'body-file': { type: 'string', value: 'file', help: 'the text from a file; - is stdin' },
  },
  run: async (context, args) => {
    const text = args.positionals[0] ?? bodyOf(args);
    if (text === undefined || text.trim() === '')
      throw usage('no_text', 'The message is empty.', 'Give it as text, --body or --body-file.');
    const seconds = args.number('wait', { min: 0, max: WAIT_MAX_S }) ?? 0;
    const client = clientOf(context);
    const sent = await client.post<MayorMessageItem>('mayor/messages', { text });
    const mayor = await client.get<MayorItem>('mayor');
    if (mayor.status === 'stopped') context.hint('The mayor is stopped: the message waits for "gt mayor start".');
    const answered = seconds === 0 ? sent : await settled(client, sent.id, seconds * 1_000);
    if (context.json) context.print(JSON.stringify(answered));
    else
      context.print(
        answered.reply === null ? `Message ${String(sent.id)} waits for its answer.` : plain(answered.reply),
      );
    if (seconds === 0 || answered.status === 'answered') return EXIT.ok;
    throw noAnswer(answered);
  },
};

export function noAnswer(item: MayorMessageItem): TownError {
  if (item.status === 'unanswered')
    return new TownError('precondition', 'unanswered', {
      message: `The mayor gave no answer to message ${String(item.id)}; it is not tried again.`,
      next: 'See "gt mayor status" and "gt escalation list"; then send it again.',
    });
  return new TownError('busy', 'no_answer_yet', {
    message: `Message ${String(item.id)} is not answered yet; it is not lost.`,
    next: 'Look later with "gt mayor log".',
  });
}

async function settled(client: TownClient, id: number, timeoutMs: number): Promise<MayorMessageItem> {
  const untilMs = Date.now() + timeoutMs;
  for (;;) {
    const waitMs = Math.max(0, Math.min(untilMs - Date.now(), CALL_WAIT_MS));
    const item = await client.get<MayorMessageItem>(`mayor/messages/${String(id)}${query({ wait_ms: waitMs })}`);
    if (item.settled_at !== null || Date.now() >= untilMs) return item;
  }
}

/** A message after the longest wait that one call takes, answered or not. */
export const answerOf = (client: TownClient, id: number): Promise<MayorMessageItem> =>
  client.get<MayorMessageItem>(`mayor/messages/${String(id)}${query({ wait_ms: CALL_WAIT_MS })}`);

export const log: CommandSpec = {
  usage: 'gt mayor log [-n <count>]',
  summary: 'the conversation with the mayor, newest last',
  examples: ['gt mayor log', 'gt mayor log -n 5 --json'],
  options: { lines: { type: 'string', short: 'n', value: 'count', help: 'messages to show (default 50)' } },
  run: async (context, args) => {
    const limit = args.number('lines', { min: 1, max: 500 }) ?? LOG_DEFAULT;
    const page = await clientOf(context).get<MayorMessagePage>(`mayor/messages${query({ limit })}`);
    if (context.json) context.print(JSON.stringify(page));
    else if (page.items.length === 0) context.print('Nothing was said yet. Begin with: gt mayor message "<text>"');
    else context.print(page.items.map((item) => messageLines(item, context)).join('\n\n'));
    return EXIT.ok;
  },
};

const STATE_TEXT: Readonly<Record<MayorMessageItem['status'], string>> = {
  waiting: '(waits)',
  shown: '(the mayor has it)',
  answered: '',
  unanswered: '(no answer; given up)',
};

export function messageLines(item: MayorMessageItem, context: Context): string {
  const head = `${String(item.id)}  ${item.from}  ${ago(context.style, item.created_at)}`;
  return `${head}\n  ${indent(item.text)}\n${answerLines(item)}`;
}

export const answerLines = (item: MayorMessageItem): string =>
  item.reply === null ? `  ${STATE_TEXT[item.status]}` : `  mayor: ${indent(item.reply)}`;
const indent = (text: string): string => plain(text).replaceAll('\n', '\n  ');

export const reply: CommandSpec = {
  usage: 'gt mayor reply <text> [--to <message>]',
  summary: 'for the mayor: answer a message, once',
  examples: ['gt mayor reply "Three beads wait for a person."', 'gt mayor reply --to 7 --body-file answer.md'],
  args: ['[text]'],
  options: {
    to: { type: 'string', value: 'message', help: 'its number; needed when several are open' },
    body: { type: 'string', value: 'text', help: 'the text' },
    'body-file': { type: 'string', value: 'file', help: 'the text from a file; - is stdin' },
  },
  run: async (context, args) => {
    const text = args.positionals[0] ?? bodyOf(args);
    if (text === undefined || text.trim() === '')
      throw usage('no_text', 'The answer is empty.', 'Give it as text, --body or --body-file.');
    const to = args.number('to', { min: 1, max: Number.MAX_SAFE_INTEGER });
    const body = { text, ...(to === undefined ? {} : { to }) };
    const item = await ask<MayorMessageItem>(agentEnv(context.env), 'POST', '/agent/reply', body);
    context.print(context.json ? JSON.stringify(item) : `Message ${String(item.id)} is answered.`);
    return EXIT.ok;
  },
};
