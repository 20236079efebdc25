/** Tools that every agent has; some of them the mayor and people too. */
import { z } from 'zod';
import { TownError, usage } from '../../core/errors.ts';
import { CHECKPOINT_BYTES_MAX, FORMULA_STEPS_MAX, NUDGE_CHARS_MAX, REASON_CHARS_MAX } from '../../core/limits.ts';
import { utf8Length } from '../../core/text.ts';
import { approveSchema, createBeadSchema, requestChangesSchema } from '../contract/beads.ts';
import { name } from '../contract/common.ts';
import { followUpSchema } from '../contract/own-work.ts';
import { escalateSchema, handoffSchema, sendMailSchema } from '../contract/talk.ts';
import { own, segment, toolCall, type ToolCall, type ToolCaller } from './tool-call.ts';

const nothing = z.strictObject({});
const text = (max: number, what: string) => z.string().trim().min(1).max(max).describe(what);

/** Below the time after which a client gives up on a tool: most wait a minute. */
const WAIT_MS = 45_000;

const prime = toolCall(nothing, async (caller) => {
  const { prompt } = z.object({ prompt: z.string() }).parse(await caller.ask('GET', own(caller, 'prime')));
  return prompt;
});

const hook = toolCall(nothing, (caller) => caller.ask('GET', 'agent/hook'));

const beadShow = toolCall(
  z.strictObject({ id: name.optional().describe('Id of the bead; yours when it is left out') }),
  async (caller, { id }) => {
    if (caller.role !== 'agent') {
      if (id === undefined) throw usage('bad_field', 'Say which bead: id is missing.', 'Call it again with id.', 'id');
      return caller.ask('GET', `beads/${segment(id)}`);
    }
    return caller.ask('GET', `agent/bead/${segment(id ?? (await ownBead(caller)))}`);
  },
);

async function ownBead(caller: ToolCaller): Promise<string> {
  const hooked = z.object({ bead: z.object({ id: z.string() }) }).parse(await caller.ask('GET', 'agent/hook'));
  return hooked.bead.id;
}

const done = toolCall(
  z.strictObject({
    summary: z.string().max(REASON_CHARS_MAX).optional().describe('What was done, in a sentence or two'),
    commit: text(REASON_CHARS_MAX, 'Commit what is uncommitted first, with this message').optional(),
    no_change: text(REASON_CHARS_MAX, 'Nothing needs to change, because of this').optional(),
  }),
  async (caller, input) => {
    if (caller.handIn === null) throw new Error('a caller without a worktree has no gt_done');
    if (input.commit !== undefined && input.no_change !== undefined)
      throw usage('commit_and_no_change', 'commit and no_change exclude each other.', 'Give one of them.', 'commit');
    const verdict = await caller.handIn({
      summary: input.summary ?? '',
      commit: input.commit ?? null,
      noChange: input.no_change ?? null,
    });
    if (verdict.verdict === 'refused')
      throw new TownError('precondition', verdict.code, {
        message: verdict.message,
        next: 'Correct that, then call gt_done again.',
      });
    if (verdict.verdict === 'superseded')
      throw new TownError('conflict', 'superseded', {
        message: verdict.message,
        next: 'Stop working: another attempt has this bead. Your commits are kept.',
      });
    return verdict;
  },
);

const checkpoint = toolCall(
  z.strictObject({
    data: z
      .record(z.string(), z.unknown())
      .refine((data) => utf8Length(JSON.stringify(data)) <= CHECKPOINT_BYTES_MAX, 'too large; save less')
      .describe(`Where you are, as JSON of at most ${String(CHECKPOINT_BYTES_MAX)} bytes`),
  }),
  (caller, { data }) => caller.ask('POST', own(caller, 'checkpoint'), { data }),
);

const mailSend = toolCall(sendMailSchema, (caller, mail) =>
  caller.ask('POST', caller.role === 'owner' ? 'mail' : own(caller, 'mail'), mail),
);

const mailCheck = toolCall(
  z.strictObject({ id: name.optional().describe('Read this mail in full, and mark it as read') }),
  async (caller, { id }) => {
    const box = caller.role === 'owner' ? 'mail' : own(caller, 'mail');
    if (id !== undefined) return caller.ask('POST', `${box}/${segment(id)}/read`, {});
    if (caller.role === 'owner') return caller.ask('GET', box);
    const { digest } = z.object({ digest: z.string().nullable() }).parse(await caller.ask('POST', `${box}/check`, {}));
    return digest ?? 'No new mail.';
  },
);

const escalate = toolCall(escalateSchema, (caller, problem) => caller.ask('POST', own(caller, 'escalate'), problem));

const waitedSchema = z.object({ status: z.string(), asked_at: z.number() });

const wait = toolCall(
  z.strictObject({
    question: text(REASON_CHARS_MAX, 'What a person is to decide').optional(),
    asked_at: z.number().int().optional().describe('Go on waiting for the answer to the question of this time'),
  }),
  async (caller, input) => {
    if ((input.question === undefined) === (input.asked_at === undefined))
      throw usage('bad_field', 'Give question or asked_at, one of them.', 'Call it again.', 'question');
    const askedAt =
      input.asked_at ??
      waitedSchema.parse(await caller.ask('POST', 'agent/wait', { question: input.question })).asked_at;
    const waited = await caller.ask('POST', 'agent/wait', { asked_at: askedAt, wait_ms: WAIT_MS });
    if (waitedSchema.parse(waited).status === 'answered') return waited;
    throw new TownError('busy', 'no_answer_yet', {
      message: 'Nobody has answered yet; the question stays open.',
      next: `Call gt_wait again with asked_at ${String(askedAt)}, or end your turn: the answer comes with your mail.`,
    });
  },
);

const status = toolCall(nothing, (caller) => caller.ask('GET', caller.role === 'agent' ? 'agent/status' : 'status'));

const nudge = toolCall(
  z.strictObject({ agent: name.describe('Its identity or name'), text: text(NUDGE_CHARS_MAX, 'A sentence') }),
  (caller, words) =>
    caller.role === 'agent'
      ? caller.ask('POST', 'agent/nudge', words)
      : caller.ask('POST', `agents/${segment(words.agent)}/nudge`, { text: words.text }),
);

const molCurrent = toolCall(nothing, (caller) => caller.ask('GET', 'agent/mol'));

const molAdvance = toolCall(
  z.strictObject({
    step: z.number().int().min(1).max(FORMULA_STEPS_MAX).describe('Number of the step, as gt_mol_current shows it'),
    summary: text(REASON_CHARS_MAX, 'What was done, or why it is left out'),
    skip: z.boolean().optional().describe('True: the step is left out'),
  }),
  (caller, { step, summary, skip }) =>
    caller.ask('POST', 'agent/mol/advance', { step, summary, status: skip === true ? 'skipped' : 'done' }),
);

const handoff = toolCall(handoffSchema, (caller, note) => caller.ask('POST', own(caller, 'handoff'), note));

/** One shape for all; an agent's follow-up is in its own rig, so it names none. */
const newBead = z.strictObject({
  ...followUpSchema.shape,
  rig: name.optional().describe('For the mayor and people; the follow-up of an agent is in its own rig'),
  depends_on: createBeadSchema.shape.depends_on.describe('For the mayor and people: ids of beads that come first'),
});

const beadCreate = toolCall(newBead, (caller, input) => {
  if (caller.role !== 'agent') return caller.ask('POST', 'beads', input);
  const { rig, depends_on: dependsOn, ...draft } = input;
  const given = rig !== undefined ? 'rig' : dependsOn !== undefined ? 'depends_on' : null;
  if (given !== null)
    throw usage(
      'not_for_agents',
      `${given} is not yours to say: follow-up work is in your own rig, and who gives it out sets its order.`,
      'Leave it out. For another rig write to the mayor: gt_mail_send to mayor/.',
      given,
    );
  return caller.ask('POST', 'agent/beads', draft);
});

const reviewed = name.optional().describe('For people: id of the bead; a reviewer has its own');

/** A reviewer speaks of the bead of its own attempt, a person of any. */
function review(caller: ToolCaller, id: string | undefined, verb: string, body: unknown): Promise<unknown> {
  if (caller.role === 'agent') {
    if (id !== undefined)
      throw usage('not_for_agents', 'You review the bead of your own attempt.', 'Leave id out.', 'id');
    return caller.ask('POST', `agent/${verb}`, body);
  }
  if (id === undefined) throw usage('bad_field', 'Say which bead: id is missing.', 'Call it again with id.', 'id');
  return caller.ask('POST', `beads/${segment(id)}/${verb}`, body);
}

const requestChanges = toolCall(
  z.strictObject({
    id: reviewed,
    comment: requestChangesSchema.shape.comment.describe('What is to change, and why'),
    comments: requestChangesSchema.shape.comments.describe('Remarks at lines of the work'),
  }),
  (caller, { id, ...said }) => review(caller, id, 'request-changes', said),
);

const reviewApprove = toolCall(
  z.strictObject({ id: reviewed, comment: approveSchema.shape.comment.describe('What you looked at') }),
  (caller, { id, comment }) => review(caller, id, 'approve', comment === undefined ? {} : { comment }),
);

const mayorReply = toolCall(
  z.strictObject({
    text: z.string().min(1).describe('The answer'),
    to: z.number().int().positive().optional().describe('Number of the message; needed when several are open'),
  }),
  (caller, input) => caller.ask('POST', 'mayor/session/reply', input),
);

export const AGENT_CALLS: Readonly<Record<string, ToolCall>> = {
  gt_prime: prime,
  gt_hook: hook,
  gt_bead_show: beadShow,
  gt_done: done,
  gt_checkpoint: checkpoint,
  gt_mail_send: mailSend,
  gt_mail_check: mailCheck,
  gt_escalate: escalate,
  gt_wait: wait,
  gt_status: status,
  gt_nudge: nudge,
  gt_mol_current: molCurrent,
  gt_mol_advance: molAdvance,
  gt_handoff: handoff,
  gt_bead_create: beadCreate,
  gt_request_changes: requestChanges,
  gt_review_approve: reviewApprove,
  gt_mayor_reply: mayorReply,
};
