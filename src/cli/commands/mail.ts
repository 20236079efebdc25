/** Mail for people and agents: a person uses the town's mailbox, an agent its own, through the runner. */
import type { MailItem, SendMailBody, SentMailItem } from '../../api/contract/talk.ts';
import { usage } from '../../core/errors.ts';
import { MAIL_SUBJECT_CHARS_MAX } from '../../core/limits.ts';
import { agentEnv, ask, isAgent } from '../agent-call.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, plain } from '../output.ts';
import { clientOf, query, segment } from '../town-client.ts';
import { bodyOf } from './bead.ts';
import { printItems } from './watch.ts';

interface MailPage {
  readonly items: readonly MailItem[];
  readonly next: string | null;
}

const BODY_OPTIONS = {
  body: { type: 'string', value: 'text', help: 'the text' },
  'body-file': { type: 'string', value: 'file', help: 'the text from a file; - is stdin' },
} as const;

export const inbox: CommandSpec = {
  usage: 'gt mail inbox [address] [--all]',
  summary: 'unread mail: of people, of one agent, or (for an agent) my own',
  examples: ['gt mail inbox', 'gt mail inbox app/polecats/nux --all --json'],
  args: ['[address]'],
  options: { all: { type: 'boolean', help: 'also what was read, returned or withdrawn' } },
  run: async (context, args) => {
    const all = args.flag('all') ? 'true' : undefined;
    const address = args.positionals[0];
    const page = (
      isAgent(context.env)
        ? await ask(agentEnv(context.env), 'GET', `/agent/mail${query({ all })}`)
        : await clientOf(context).get(`mail${query({ address, all })}`)
    ) as MailPage;
    const { style } = context;
    return printItems(context, page, {
      head: ['ID', 'STATE', 'FROM', 'TO', 'KIND', 'SUBJECT', 'AGE'],
      row: (mail) => [mail.id, mail.status, mail.from, mail.to, mail.kind, mail.subject, ago(style, mail.created_at)],
      empty: 'No unread mail.',
    });
  },
};

export const read: CommandSpec = {
  usage: 'gt mail read <id>',
  summary: 'one mail in full; it counts as read when it is mine',
  examples: ['gt mail read ml-06f1q2w3e4r5t6y7', 'gt mail read ml-06f1q2w3e4r5t6y7 --json'],
  args: ['<id>'],
  run: async (context, args) => {
    const mail = await fetchMail(context, args.at(0));
    if (context.json) context.print(JSON.stringify(mail));
    else
      context.print(
        [
          `${mail.id}  ${mail.kind}  ${ago(context.style, mail.created_at)}`,
          `from     ${mail.from}`,
          `to       ${mail.to}`,
          `subject  ${plain(mail.subject)}`,
          ...(mail.body === '' ? [] : ['', plain(mail.body)]),
        ].join('\n'),
      );
    return EXIT.ok;
  },
};

async function fetchMail(context: Context, id: string): Promise<MailItem> {
  const path = `mail/${segment(id)}/read`;
  return (
    isAgent(context.env)
      ? await ask(agentEnv(context.env), 'POST', `/agent/${path}`, {})
      : await clientOf(context).post(path, {})
  ) as MailItem;
}

export const send: CommandSpec = {
  usage: 'gt mail send <to> <subject> [--body <text> | --body-file <file>] [--kind note|help|handoff|lifecycle]',
  summary: 'write to an agent, to people, or (lifecycle) to the daemon',
  examples: [
    'gt mail send app/polecats/nux "Use SQLite" --body "One file, no server."',
    'gt mail send human/ "Which database?" --kind help',
  ],
  args: ['<to>', '<subject>'],
  options: { ...BODY_OPTIONS, kind: { type: 'string', value: 'kind', help: 'note, help, handoff or lifecycle' } },
  notes:
    'Addresses: human/, mayor/, daemon/, <rig>/witness, <rig>/refinery, <rig>/polecats/<name>, <rig>/crew/<name>;\n' +
    'groups, one mail for each member: all (every agent), <rig>/polecats, <rig>/crew.\n' +
    'To daemon/ with --kind lifecycle the subject is cycle, restart or shutdown, and the body {"from": "<agent>", "action": …}.',
  run: async (context, args) => {
    const body = bodyOf(args);
    return sendMail(context, {
      to: args.at(0),
      subject: args.at(1),
      ...kindOf(args),
      ...(body === undefined ? {} : { body }),
    });
  },
};

function kindOf(args: Arguments): Pick<SendMailBody, 'kind'> {
  const kind = args.text('kind');
  if (kind === undefined) return {};
  if (kind === 'note' || kind === 'help' || kind === 'handoff' || kind === 'lifecycle') return { kind };
  throw usage(
    'bad_kind',
    `--kind ${JSON.stringify(kind)} is unknown.`,
    'Use note, help, handoff or lifecycle.',
    'kind',
  );
}

async function sendMail(context: Context, mail: SendMailBody): Promise<number> {
  const sent = (
    isAgent(context.env)
      ? await ask(agentEnv(context.env), 'POST', '/agent/mail', mail)
      : await clientOf(context).post('mail', mail)
  ) as SentMailItem;
  context.print(context.json ? JSON.stringify(sent) : plain(sent.answer));
  return EXIT.ok;
}

export const reply: CommandSpec = {
  usage: 'gt mail reply <id> [text] [--body <text> | --body-file <file>]',
  summary: 'answer a mail; the answer goes to its sender',
  examples: ['gt mail reply ml-06f1q2w3e4r5t6y7 "Yes, go on."', 'gt mail reply ml-06f1q2w3e4r5t6y7 --body-file -'],
  args: ['<id>', '[text]'],
  options: BODY_OPTIONS,
  run: async (context, args) => {
    const text = args.positionals[1] ?? bodyOf(args);
    if (text === undefined) throw usage('no_text', 'The answer is empty.', 'Give it as text, --body or --body-file.');
    const mail = await fetchMail(context, args.at(0));
    const subject = mail.subject.startsWith('Re: ') ? mail.subject : `Re: ${mail.subject}`;
    return sendMail(context, {
      to: mail.from,
      subject: subject.slice(0, MAIL_SUBJECT_CHARS_MAX),
      body: text,
      reply_to: mail.id,
    });
  },
};

export const check: CommandSpec = {
  usage: 'gt mail check',
  summary: 'for agents, at the end of a turn: new mail, once; silent without any',
  examples: ['gt mail check', 'gt mail check --json'],
  run: async (context) => {
    const answer = await ask<{ digest: string | null }>(agentEnv(context.env), 'POST', '/agent/mail/check', {});
    if (context.json) context.print(JSON.stringify(answer));
    else if (answer.digest !== null) context.print(plain(answer.digest));
    return EXIT.ok;
  },
};
