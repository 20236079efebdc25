/** Words between people, agents and the town: mail, nudges, questions, escalations by agents, lifecycle requests. */
import { createRoute, z } from '@hono/zod-openapi';
import { PAGE_SIZE_DEFAULT } from '../../core/limits.ts';
import { parseMailId } from '../../core/model/ids.ts';
import { parseLifecycleAction, parseLifecycleAgent } from '../../core/model/lifecycle.ts';
import type { Mail, MailDraft } from '../../core/model/mail.ts';
import type { Nudge } from '../../core/model/nudge.ts';
import type { SentMail } from '../../ports/talk-gateway.ts';
import { capabilityFor } from '../auth.ts';
import { name } from '../contract/common.ts';
import {
  answerSchema,
  digestSchema,
  escalatedSchema,
  escalateSchema,
  handoffSchema,
  lifecycleSchema,
  mailPageSchema,
  mailQuerySchema,
  mailSchema,
  nudgeBodySchema,
  nudgeSchema,
  ownMailQuerySchema,
  sendMailSchema,
  sentMailSchema,
  waitedSchema,
  waitSchema,
} from '../contract/talk.ts';
import type { MailItem, NudgeItem, SendMailBody, SentMailItem } from '../contract/talk.ts';
import { agentOnly, answers, jsonBody, ownerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const town = z.object({ town: name });
const oneMail = z.object({ town: name, id: name });

const listMail = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/mail`,
  security: ownerOnly,
  request: { params: town, query: mailQuerySchema },
  responses: answers(mailPageSchema, 'A mailbox, newest first; unread mail unless `all`'),
});
const sendMail = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/mail`,
  security: ownerOnly,
  request: { params: town, ...jsonBody(sendMailSchema) },
  responses: answers(sentMailSchema, 'What became of the mail'),
});
const readMail = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/mail/{id}/read`,
  security: ownerOnly,
  request: { params: oneMail },
  responses: answers(mailSchema, 'The mail; read, if it was for people'),
});
const nudge = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agents/{name}/nudge`,
  security: ownerOnly,
  request: { params: z.object({ town: name, name }), ...jsonBody(nudgeBodySchema) },
  responses: answers(nudgeSchema, 'What became of the nudge'),
});
const lifecycle = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/lifecycle`,
  security: ownerOnly,
  request: { params: town, ...jsonBody(lifecycleSchema) },
  responses: answers(answerSchema, 'What was done'),
});

export function registerTalk(app: App, { gateway }: Deps): void {
  app.openapi(listMail, async (c) => {
    const query = c.req.valid('query');
    const items = await gateway.talk.mailbox({
      address: query.address ?? null,
      unreadOnly: query.all !== 'true',
      limit: query.limit ?? PAGE_SIZE_DEFAULT,
    });
    return c.json({ items: items.map(presentMail), next: null }, 200);
  });
  app.openapi(sendMail, async (c) =>
    c.json(presentSent(await gateway.talk.sendMail(draftOf(c.req.valid('json')), c.get('caller'))), 200),
  );
  app.openapi(readMail, async (c) =>
    c.json(presentMail(await gateway.talk.readMail(parseMailId(c.req.valid('param').id))), 200),
  );
  app.openapi(nudge, async (c) => {
    const { text, mode } = c.req.valid('json');
    const agent = c.req.valid('param').name;
    const words = { agent, text, mode: mode ?? 'immediate' } as const;
    return c.json(presentNudge(await gateway.talk.nudge(words, c.get('caller'))), 200);
  });
  app.openapi(lifecycle, async (c) => {
    const input = c.req.valid('json');
    const caller = c.get('caller');
    const request = {
      agent: parseLifecycleAgent(input.from),
      action: parseLifecycleAction(input.action),
      requestedBy: caller.actor,
      timestamp: input.timestamp === undefined ? null : String(input.timestamp),
      note: input.note ?? '',
    };
    return c.json({ answer: await gateway.talk.lifecycle(request, caller) }, 200);
  });
}

const ownMail = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agent/mail`,
  security: agentOnly,
  request: { params: town, query: ownMailQuerySchema },
  responses: answers(mailPageSchema, 'The own mailbox'),
});
const sendOwnMail = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/mail`,
  security: agentOnly,
  request: { params: town, ...jsonBody(sendMailSchema) },
  responses: answers(sentMailSchema, 'What became of the mail'),
});
const checkMail = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/mail/check`,
  security: agentOnly,
  request: { params: town },
  responses: answers(digestSchema, 'Unread mail that this session has not been shown'),
});
const readOwnMail = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/mail/{id}/read`,
  security: agentOnly,
  request: { params: oneMail },
  responses: answers(mailSchema, 'The mail, now read'),
});
const wait = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/wait`,
  security: agentOnly,
  request: { params: town, ...jsonBody(waitSchema) },
  responses: answers(waitedSchema, "A person's answer, or that there is none yet"),
});
const escalate = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/escalate`,
  security: agentOnly,
  request: { params: town, ...jsonBody(escalateSchema) },
  responses: answers(escalatedSchema, 'A person will see it'),
});
const handoff = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/handoff`,
  security: agentOnly,
  request: { params: town, ...jsonBody(handoffSchema) },
  responses: answers(answerSchema, 'The session ends'),
});

export function registerAgentTalk(app: App, { gateway }: Deps): void {
  app.openapi(ownMail, async (c) => {
    const unreadOnly = c.req.valid('query').all !== 'true';
    const items = await gateway.talk.ownMail(capabilityFor(c, 'mail_check'), unreadOnly);
    return c.json({ items: items.map(presentMail), next: null }, 200);
  });
  app.openapi(sendOwnMail, async (c) => {
    const capability = capabilityFor(c, 'mail_send');
    return c.json(presentSent(await gateway.talk.sendOwnMail(capability, draftOf(c.req.valid('json')))), 200);
  });
  app.openapi(checkMail, async (c) =>
    c.json({ digest: await gateway.talk.checkMail(capabilityFor(c, 'mail_check')) }, 200),
  );
  app.openapi(readOwnMail, async (c) => {
    const id = parseMailId(c.req.valid('param').id);
    return c.json(presentMail(await gateway.talk.readOwnMail(capabilityFor(c, 'mail_check'), id)), 200);
  });
  app.openapi(wait, async (c) => {
    const input = c.req.valid('json');
    const question = input.question === undefined ? { askedAtMs: input.asked_at ?? 0 } : { question: input.question };
    const waited = await gateway.talk.wait(capabilityFor(c, 'wait'), question, input.wait_ms ?? 0);
    const found = waited.answers.map(presentMail);
    return c.json({ status: waited.state, asked_at: waited.askedAtMs, answers: found }, 200);
  });
  app.openapi(escalate, async (c) => {
    const { severity, message } = c.req.valid('json');
    await gateway.talk.escalate(capabilityFor(c, 'escalate'), { severity: severity ?? 'medium', message });
    return c.json({ escalated: true }, 200);
  });
  app.openapi(handoff, async (c) => {
    const { subject, body } = c.req.valid('json');
    const answer = await gateway.talk.handoff(capabilityFor(c, 'handoff'), { subject, body: body ?? '' });
    return c.json({ answer }, 200);
  });
}

export const presentNudge = (nudge: Nudge): NudgeItem => ({
  id: nudge.id,
  status: nudge.state,
  agent: nudge.agent,
  attempt: nudge.attempt,
  mode: nudge.mode,
  expires_at: nudge.expiresAtMs,
});

export const draftOf = (input: SendMailBody): MailDraft => ({
  to: input.to,
  kind: input.kind ?? 'note',
  subject: input.subject,
  body: input.body ?? '',
  replyTo: input.reply_to === undefined ? null : parseMailId(input.reply_to),
});

export const presentSent = (sent: SentMail): SentMailItem => ({
  status: sent.state,
  id: sent.id,
  to: sent.to,
  answer: sent.answer,
});

export function presentMail(mail: Mail): MailItem {
  return {
    id: mail.id,
    status: mail.endReason ?? (mail.readAtMs === null ? 'unread' : 'read'),
    kind: mail.kind,
    from: mail.from,
    to: mail.to,
    subject: mail.subject,
    body: mail.body,
    reply_to: mail.replyTo,
    created_at: mail.createdAtMs,
    delivered_at: mail.deliveredAtMs,
    read_at: mail.readAtMs,
    expires_at: mail.expiresAtMs,
  };
}
