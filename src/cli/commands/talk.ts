/** Short words: nudges by people; questions, escalations and handoffs by agents. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { AnswerItem, NudgeItem, WaitedItem } from '../../api/contract/talk.ts';
import { TownError, usage } from '../../core/errors.ts';
import { agentEnv, ask, hasHook } from '../agent-call.ts';
import type { AgentEnv } from '../agent-call.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { plain } from '../output.ts';
import { clientOf, segment } from '../town-client.ts';
import { bodyOf } from './bead.ts';

const MODES = ['immediate', 'wait-idle', 'queue'] as const;
const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
/** Below the two minutes after which the shells of most agents give up on a command. */
const WAIT_DEFAULT_S = 100;
const WAIT_MAX_S = 3_600;
/** One call; the API takes no longer ones. */
const CALL_WAIT_MS = 45_000;

const NUDGE_TEXT: Readonly<Record<NudgeItem['status'], string>> = {
  pending: 'on its way',
  delivered: 'delivered into the live session',
  queued: 'this runtime takes no words in mid-session: the agent finds it with its mail',
  expired: 'not delivered: the session ended, or the runner did not answer in time',
};

export const nudge: CommandSpec = {
  usage: 'gt nudge <agent> <text> [--mode immediate|wait-idle|queue]',
  summary: 'a short word to a working agent, where its runtime takes one; else with its mail',
  examples: [
    'gt nudge nux "The tests are in test/, not in src/"',
    'gt nudge app/polecats/nux "Hurry" --mode wait-idle',
  ],
  args: ['<agent>', '<text>'],
  options: { mode: { type: 'string', value: 'mode', help: 'immediate (default), wait-idle, or queue' } },
  run: async (context, args) => {
    const mode = args.choice('mode', MODES);
    const body = { text: args.at(1), ...(mode === undefined ? {} : { mode }) };
    const answer = hasHook(context.env)
      ? await nudgeNeighbour(context, { agent: args.at(0), text: args.at(1) })
      : await clientOf(context).post<NudgeItem>(`agents/${segment(args.at(0))}/nudge`, body);
    context.print(context.json ? JSON.stringify(answer) : `${answer.agent}: ${NUDGE_TEXT[answer.status]}`);
    return EXIT.ok;
  },
};

/** An agent speaks to its own rig, and does not choose how its words are put in. */
const nudgeNeighbour = async (
  context: Context,
  words: { readonly agent: string; readonly text: string },
): Promise<NudgeItem> => await ask<NudgeItem>(agentEnv(context.env), 'POST', '/agent/nudge', words);

export const escalate: CommandSpec = {
  usage: 'gt escalate <message> [--severity low|medium|high|critical]',
  summary: 'for agents: tell people that I am stuck',
  examples: ['gt escalate "The build needs a licence key"', 'gt escalate "Data loss in migration 7" --severity high'],
  args: ['<message>'],
  options: { severity: { type: 'string', value: 'severity', help: 'low, medium (default), high or critical' } },
  run: async (context, args) => {
    const severity = args.choice('severity', SEVERITIES);
    const body = { message: args.at(0), ...(severity === undefined ? {} : { severity }) };
    const answer = await ask(agentEnv(context.env), 'POST', '/agent/escalate', body);
    context.print(context.json ? JSON.stringify(answer) : 'A person will see it. Go on with what you can.');
    return EXIT.ok;
  },
};

export const wait: CommandSpec = {
  usage: 'gt wait <question> [--timeout <seconds>]',
  summary: 'for agents: ask a person and wait for the answer',
  examples: ['gt wait "SQLite or PostgreSQL?"', 'gt wait "May I delete the table?" --timeout 600'],
  args: ['<question>'],
  options: {
    timeout: { type: 'string', value: 'seconds', help: 'give up waiting after (default 100); the question stays' },
  },
  run: async (context, args) => {
    const agent = agentEnv(context.env);
    const seconds = args.number('timeout', { min: 0, max: WAIT_MAX_S }) ?? WAIT_DEFAULT_S;
    const waited = await waitFor(agent, args.at(0), seconds * 1_000);
    if (waited.status === 'waiting')
      throw new TownError('busy', 'no_answer_yet', {
        message: 'Nobody has answered yet; the question stays open.',
        next: 'Run the same "gt wait" again, or end your turn: the answer comes with your mail.',
      });
    printAnswers(context, waited);
    return EXIT.ok;
  },
};

/** The question counts once: a later call with the same words goes on waiting for the answer to the first. */
async function waitFor(agent: AgentEnv, question: string, timeoutMs: number): Promise<WaitedItem> {
  const file = join(agent.stateDir, 'question.json');
  const untilMs = Date.now() + timeoutMs;
  let askedAt = askedBefore(file, question);
  for (;;) {
    const leftMs = Math.max(0, Math.min(untilMs - Date.now(), CALL_WAIT_MS));
    const body = askedAt === null ? { question } : { asked_at: askedAt, wait_ms: leftMs };
    const waited = await ask<WaitedItem>(agent, 'POST', '/agent/wait', body);
    if (askedAt === null) remember(file, { question, askedAt: waited.asked_at });
    askedAt = waited.asked_at;
    if (waited.status === 'answered') {
      remember(file, null);
      return waited;
    }
    if (Date.now() >= untilMs) return waited;
  }
}

function askedBefore(file: string, question: string): number | null {
  try {
    const known: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof known !== 'object' || known === null) return null;
    const asked: unknown = Reflect.get(known, 'askedAt');
    return Reflect.get(known, 'question') === question && typeof asked === 'number' ? asked : null;
  } catch {
    return null;
  }
}

/** Only a memory: without it the question is asked again. */
function remember(file: string, asked: { readonly question: string; readonly askedAt: number } | null): void {
  try {
    const handle = openSync(file, 'w', 0o600);
    writeSync(handle, JSON.stringify(asked));
    closeSync(handle);
  } catch {
    // The state folder of the attempt is gone, and with it the attempt.
  }
}

function printAnswers(context: Context, waited: WaitedItem): void {
  if (context.json) context.print(JSON.stringify(waited));
  else if (waited.answers.length === 0)
    context.print('Answered: go on. (The answer is in your mail: gt mail inbox --all)');
  else
    for (const mail of waited.answers)
      context.print(plain([mail.subject, mail.body].filter((text) => text !== '').join('\n\n')));
}

export const handoff: CommandSpec = {
  usage: 'gt handoff --subject <text> [--body <text> | --body-file <file>]',
  summary: 'for agents: end my session; a fresh one goes on with my note, checkpoint and commits',
  examples: ['gt handoff --subject "Parser done, tests next"', 'gt handoff --subject "Half way" --body-file notes.md'],
  options: {
    subject: { type: 'string', value: 'text', help: 'where I am, in one line' },
    body: { type: 'string', value: 'text', help: 'what the next session must know' },
    'body-file': { type: 'string', value: 'file', help: 'the same from a file; - is stdin' },
  },
  run: async (context, args) => {
    const subject = args.text('subject');
    if (subject === undefined || subject.trim() === '')
      throw usage('no_subject', 'The note has no subject.', 'Add --subject "<where I am>".', 'subject');
    const body = bodyOf(args);
    const answer = await ask<AnswerItem>(agentEnv(context.env), 'POST', '/agent/handoff', {
      subject,
      ...(body === undefined ? {} : { body }),
    });
    context.print(context.json ? JSON.stringify(answer) : plain(answer.answer));
    return EXIT.ok;
  },
};
