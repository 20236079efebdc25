/** The conversation with the mayor: of people, and of the mayor's own sessions. */
import { createRoute, z } from '@hono/zod-openapi';
import { PAGE_SIZE_DEFAULT } from '../../core/limits.ts';
import { parseMailId } from '../../core/model/ids.ts';
import type { MayorMessage } from '../../core/model/mayor.ts';
import type { MayorSummary } from '../../core/queries.ts';
import { mayorFor } from '../auth.ts';
import { checkpointSchema, savedSchema } from '../contract/agents.ts';
import { emptySchema, name } from '../contract/common.ts';
import {
  mayorMessagePageSchema,
  mayorMessageSchema,
  mayorPrimeSchema,
  mayorSchema,
  messageQuerySchema,
  messagesQuerySchema,
  replySchema,
  sendMessageSchema,
} from '../contract/mayor.ts';
import type { MayorItem, MayorMessageItem } from '../contract/mayor.ts';
import {
  answerSchema,
  digestSchema,
  escalatedSchema,
  escalateSchema,
  handoffSchema,
  mailPageSchema,
  mailSchema,
  ownMailQuerySchema,
  sendMailSchema,
  sentMailSchema,
} from '../contract/talk.ts';
import { answers, jsonBody, mayorOnly, optionalBody, ownerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';
import { draftOf, presentMail, presentSent } from './talk.ts';

const path = `${TOWN_PATH}/mayor`;
const town = z.object({ town: name });
const oneMessage = z.object({ town: name, id: z.coerce.number().int().positive() });

const show = createRoute({
  method: 'get',
  path,
  security: ownerOnly,
  request: { params: town },
  responses: answers(mayorSchema, 'Whether it runs, and what waits for it'),
});
const start = createRoute({
  method: 'post',
  path: `${path}/start`,
  security: ownerOnly,
  request: { params: town, ...optionalBody(emptySchema) },
  responses: answers(mayorSchema, 'The mayor, which runs as soon as there is something to do'),
});
const stop = createRoute({
  method: 'post',
  path: `${path}/stop`,
  security: ownerOnly,
  request: { params: town, ...optionalBody(emptySchema) },
  responses: answers(mayorSchema, 'The mayor; its messages and mail wait'),
});
const send = createRoute({
  method: 'post',
  path: `${path}/messages`,
  security: ownerOnly,
  request: { params: town, ...jsonBody(sendMessageSchema) },
  responses: answers(mayorMessageSchema, 'The message, which waits for its turn'),
});
const list = createRoute({
  method: 'get',
  path: `${path}/messages`,
  security: ownerOnly,
  request: { params: town, query: messagesQuerySchema },
  responses: answers(mayorMessagePageSchema, 'The conversation, oldest first; the newest of it unless `after`'),
});
const one = createRoute({
  method: 'get',
  path: `${path}/messages/{id}`,
  security: ownerOnly,
  request: { params: oneMessage, query: messageQuerySchema },
  responses: answers(mayorMessageSchema, 'One message; waits for its answer up to `wait_ms`'),
});

export function registerMayor(app: App, { gateway }: Deps): void {
  const { mayor } = gateway;
  app.openapi(show, async (c) => c.json(presentMayor(await mayor.summary()), 200));
  app.openapi(start, async (c) => c.json(presentMayor(await mayor.start(c.get('caller'))), 200));
  app.openapi(stop, async (c) => c.json(presentMayor(await mayor.stop(c.get('caller'))), 200));
  app.openapi(send, async (c) =>
    c.json(presentMessage(await mayor.message(c.req.valid('json').text, c.get('caller'))), 200),
  );
  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const items = await mayor.messages(query.after ?? null, query.limit ?? PAGE_SIZE_DEFAULT);
    return c.json({ items: items.map(presentMessage), next: null }, 200);
  });
  app.openapi(one, async (c) =>
    c.json(presentMessage(await mayor.getMessage(c.req.valid('param').id, c.req.valid('query').wait_ms ?? 0)), 200),
  );
}

const session = `${path}/session`;
const prime = createRoute({
  method: 'get',
  path: `${session}/prime`,
  security: mayorOnly,
  request: { params: town },
  responses: answers(mayorPrimeSchema, 'What this session was told'),
});
const reply = createRoute({
  method: 'post',
  path: `${session}/reply`,
  security: mayorOnly,
  request: { params: town, ...jsonBody(replySchema) },
  responses: answers(mayorMessageSchema, 'The message with its answer'),
});
const checkpoint = createRoute({
  method: 'post',
  path: `${session}/checkpoint`,
  security: mayorOnly,
  request: { params: town, ...jsonBody(checkpointSchema) },
  responses: answers(savedSchema, 'Saved for the next session'),
});
const ownMail = createRoute({
  method: 'get',
  path: `${session}/mail`,
  security: mayorOnly,
  request: { params: town, query: ownMailQuerySchema },
  responses: answers(mailPageSchema, 'The own mailbox'),
});
const sendOwn = createRoute({
  method: 'post',
  path: `${session}/mail`,
  security: mayorOnly,
  request: { params: town, ...jsonBody(sendMailSchema) },
  responses: answers(sentMailSchema, 'What became of the mail'),
});
const check = createRoute({
  method: 'post',
  path: `${session}/mail/check`,
  security: mayorOnly,
  request: { params: town, ...optionalBody(emptySchema) },
  responses: answers(digestSchema, 'Unread mail that this session has not been shown'),
});
const readOwn = createRoute({
  method: 'post',
  path: `${session}/mail/{id}/read`,
  security: mayorOnly,
  request: { params: z.object({ town: name, id: name }), ...optionalBody(emptySchema) },
  responses: answers(mailSchema, 'The mail, now read'),
});
const escalate = createRoute({
  method: 'post',
  path: `${session}/escalate`,
  security: mayorOnly,
  request: { params: town, ...jsonBody(escalateSchema) },
  responses: answers(escalatedSchema, 'A person will see it'),
});
const handoff = createRoute({
  method: 'post',
  path: `${session}/handoff`,
  security: mayorOnly,
  request: { params: town, ...jsonBody(handoffSchema) },
  responses: answers(answerSchema, 'The session ends'),
});

export function registerMayorSession(app: App, { gateway }: Deps): void {
  const { mayor } = gateway;
  app.openapi(prime, async (c) => c.json({ prompt: await mayor.prime(mayorFor(c)) }, 200));
  app.openapi(reply, async (c) => {
    const { text, to } = c.req.valid('json');
    return c.json(presentMessage(await mayor.reply(mayorFor(c), { text, to: to ?? null })), 200);
  });
  app.openapi(checkpoint, async (c) => {
    await mayor.checkpoint(mayorFor(c), JSON.stringify(c.req.valid('json').data));
    return c.json({ saved: true }, 200);
  });
  app.openapi(ownMail, async (c) => {
    const items = await mayor.ownMail(mayorFor(c), c.req.valid('query').all !== 'true');
    return c.json({ items: items.map(presentMail), next: null }, 200);
  });
  app.openapi(sendOwn, async (c) =>
    c.json(presentSent(await mayor.sendOwnMail(mayorFor(c), draftOf(c.req.valid('json')))), 200),
  );
  app.openapi(check, async (c) => c.json({ digest: await mayor.checkMail(mayorFor(c)) }, 200));
  app.openapi(readOwn, async (c) =>
    c.json(presentMail(await mayor.readOwnMail(mayorFor(c), parseMailId(c.req.valid('param').id))), 200),
  );
  app.openapi(escalate, async (c) => {
    const { severity, message } = c.req.valid('json');
    await mayor.escalate(mayorFor(c), { severity: severity ?? 'medium', message });
    return c.json({ escalated: true }, 200);
  });
  app.openapi(handoff, async (c) => {
    const { subject, body } = c.req.valid('json');
    return c.json({ answer: await mayor.handoff(mayorFor(c), { subject, body: body ?? '' }) }, 200);
  });
}

const presentMayor = (mayor: MayorSummary): MayorItem => ({
  status: mayor.status,
  configured: mayor.isConfigured,
  runtime: mayor.runtime,
  attempt: mayor.attempt,
  sitting: mayor.sitting,
  waiting_messages: mayor.waitingMessages,
  open_messages: mayor.openMessages,
  unread_mail: mayor.unreadMail,
  failures: mayor.failures,
  retry_at: mayor.retryAtMs,
  breaker_open: mayor.isBreakerOpen,
  runner: mayor.runner,
  no_runner: mayor.noRunner,
});

const presentMessage = (message: MayorMessage): MayorMessageItem => ({
  id: message.seq,
  status: message.state,
  from: message.from,
  text: message.text,
  reply: message.reply,
  sitting: message.sitting,
  created_at: message.createdAtMs,
  settled_at: message.settledAtMs,
});
