import { createRoute, z } from '@hono/zod-openapi';
import { name } from '../contract/common.ts';
import { transferAnswerSchema, transferStepSchema, type TransferStep } from '../contract/transfer.ts';
import { answers, jsonBody, ownerOnly, TOWN_PATH, type App } from './shared.ts';

/** One end of a move; each step may be repeated. */
export type TransferDoor = (step: TransferStep) => Promise<unknown>;

const transfer = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/transfer`,
  security: ownerOnly,
  request: { params: z.object({ town: name }), ...jsonBody(transferStepSchema) },
  responses: answers(transferAnswerSchema, 'What the step came to'),
});

export function registerTransfer(app: App, door: TransferDoor): void {
  app.openapi(transfer, async (c) => c.json({ value: (await door(c.req.valid('json'))) ?? null }, 200));
}
