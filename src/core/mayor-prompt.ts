import type { MayorAttempt, MayorMessage } from './model/mayor.ts';
import { fence } from './prompt.ts';
import { inert } from './text.ts';

/** What the mayor may do with its own token, as commands; the API has the same list as rights. */
const TOOLS = [
  '- Answer: gt mayor reply "<text>"   (with several open messages: --to <number>)',
  '- Look: gt status, gt rig list, gt bead list, gt bead show <id>, gt agents, gt convoy list, gt convoy show <id>, gt mq, gt feed, gt why <id>',
  '- Give out work: gt sling "<title>" --rig <rig> --body "<what and why>", gt convoy create "<title>" --file <plan.toml>; with steps to follow: --formula <name> (gt mol list)',
  '- Steer: gt convoy start|add|remove|close, gt bead update|hold|release|retry, gt bead reassign <id> <agent>, gt agent reset <agent>, gt nudge <agent> "<text>"',
  '- Talk: gt mail inbox|read|send, gt escalation list, gt escalation ack <id>, gt escalate "<what people must know>"',
  '- Remember: gt checkpoint \'<json>\'   Leave early and go on in a fresh session: gt handoff --subject "<where I am>"',
].join('\n');

export interface MayorPromptInput {
  readonly town: string;
  readonly messages: readonly MayorMessage[];
  readonly earlier: readonly MayorAttempt[];
  readonly checkpoint: string | null;
  readonly mail: string | null;
}

/** What one process of the mayor is told. What people and agents wrote is data with its sender. */
export function mayorPrompt(input: MayorPromptInput): string {
  const parts = [
    `You are the mayor of the town "${input.town}": you coordinate work over its rigs and answer people. You give work out; you do none of it yourself, and you own no state but this conversation.`,
    `What you can do:\n${TOOLS}`,
    'Answer every message below, then end. Do not wait or watch: you are started again when there is something new.',
  ];
  if (input.earlier.length > 0) parts.push(earlierNote(input));
  for (const message of input.messages)
    parts.push(`Message ${String(message.seq)} from ${message.from}:\n${fence(inert(message.text), message.from)}`);
  if (input.checkpoint !== null)
    parts.push(`Checkpoint of your session before:\n${fence(input.checkpoint, 'checkpoint')}`);
  if (input.mail !== null) parts.push(input.mail);
  return `${parts.join('\n\n')}\n`;
}

/** A successor must know that work may have been given out already. */
function earlierNote(input: MayorPromptInput): string {
  const last = input.earlier.at(-1);
  const how = last?.reason ?? 'unknown reason';
  return `${String(input.earlier.length)} of your sessions ended before these messages were answered (the last: ${how}). Look at "gt feed" and "gt convoy list" for what you gave out already; the same sling, convoy, addition or mail, word for word, is not made twice.`;
}
