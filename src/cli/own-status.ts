import type { OwnStatusItem } from '../api/contract/own-work.ts';
import { agentEnv, ask } from './agent-call.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { plain } from './output.ts';

/** `gt status` of an agent: where it stands, and what is open before it can be done. */
export async function ownStatus(context: Context): Promise<number> {
  const own = await ask<OwnStatusItem>(agentEnv(context.env), 'GET', '/agent/status');
  context.print(context.json ? JSON.stringify(own) : lines(own).join('\n'));
  return EXIT.ok;
}

function lines(own: OwnStatusItem): readonly string[] {
  return [
    `${own.agent}  ${own.status}, attempt ${own.attempt} (epoch ${String(own.epoch)}, round ${String(own.round)})`,
    `bead    ${own.bead.id}  ${own.bead.phase}  ${plain(own.bead.title)}`,
    `target  ${own.target_branch}`,
    `why     ${plain(own.why.sentence)}`,
    ...(own.unread_mail === 0 ? [] : [`mail    ${String(own.unread_mail)} unread: gt mail check`]),
    ...(own.open_steps ?? []).map((step) => `step    ${String(step.number)} open: ${plain(step.title)}`),
  ];
}
