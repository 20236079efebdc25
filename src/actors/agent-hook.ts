import { notFound } from '../core/errors.ts';
import { MAILBOX_UNREAD_MAX } from '../core/limits.ts';
import { mailDigest } from '../core/mail-digest.ts';
import { branchName } from '../core/model/agent.ts';
import type { AttemptId } from '../core/model/ids.ts';
import { polecatPrompt } from '../core/prompt.ts';
import type { HookView } from '../core/queries.ts';
import type { RigActor } from './rig/rig-actor.ts';

/** What an agent has on its hook, with its prompt as it would be now. Errors: `not_found`. */
export function readHook(rig: RigActor, attempt: AttemptId, nowMs: number): HookView {
  const hook = rig.queries.hook(attempt, nowMs);
  if (hook === null) throw notFound('attempt', attempt);
  const prompt = polecatPrompt({
    agent: hook.agent,
    bead: hook.bead,
    source: hook.source,
    config: rig.view.config(),
    branch: rig.view.reviewOf(hook.source.id)?.branch ?? branchName(hook.source.id),
    checkpoint: hook.checkpoint,
    molecule: rig.view.molecule(hook.bead.id),
    mail: mailDigest(rig.view.mail.unread(hook.agent, MAILBOX_UNREAD_MAX)),
  });
  return { ...hook, prompt };
}
