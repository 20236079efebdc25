import { createRoute, z } from '@hono/zod-openapi';
import { notFound } from '../../core/errors.ts';
import { budgetTag } from '../../core/etag.ts';
import type { CostSum } from '../../core/money.ts';
import { parseBeadId, parseConvoyId, parseRigName } from '../../core/model/ids.ts';
import type { BudgetSummary, QuotaSummary } from '../../ports/money-gateway.ts';
import { name } from '../contract/common.ts';
import {
  budgetPageSchema,
  budgetSchema,
  costQuerySchema,
  costsSchema,
  quotaPageSchema,
  setBudgetSchema,
} from '../contract/money.ts';
import type { BudgetItem, CostsItem, QuotaItem } from '../contract/money.ts';
import { etag, ifMatch } from '../if-match.ts';
import { answers, jsonBody, ownerOnly, tagged, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const town = z.object({ town: name });

const list = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/budgets`,
  security: ownerOnly,
  request: { params: town },
  responses: answers(budgetPageSchema, 'All budgets, with what was spent and reserved of each'),
});
const set = createRoute({
  method: 'put',
  path: `${TOWN_PATH}/budgets`,
  security: ownerOnly,
  request: { params: town, ...ifMatch, ...jsonBody(setBudgetSchema) },
  responses: answers(budgetSchema, 'The budget; work that waited for it goes on at once'),
});
const get = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/budgets/{id}`,
  security: ownerOnly,
  request: { params: z.object({ town: name, id: name }) },
  responses: tagged(budgetSchema, 'One budget'),
});
const remove = createRoute({
  method: 'delete',
  path: `${TOWN_PATH}/budgets/{id}`,
  security: ownerOnly,
  request: { params: z.object({ town: name, id: name }), ...ifMatch },
  responses: answers(z.object({ removed: z.string() }), 'The budget is gone'),
});
const costs = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/costs`,
  security: ownerOnly,
  request: { params: town, query: costQuerySchema },
  responses: answers(costsSchema, 'What attempts used'),
});
const quota = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/quota`,
  security: ownerOnly,
  request: { params: town },
  responses: answers(quotaPageSchema, 'Quota windows that are closed now'),
});

export function registerMoney(app: App, { gateway }: Deps): void {
  const { money } = gateway;
  app.openapi(list, async (c) => c.json({ items: (await money.listBudgets()).map(presentBudget), next: null }, 200));
  app.openapi(get, async (c) => {
    const { id } = c.req.valid('param');
    const budget = (await money.listBudgets()).find((one) => one.id === id);
    if (budget === undefined) throw notFound('budget', id);
    return c.json(presentBudget(budget), 200, etag(budgetTag(budget)));
  });
  app.openapi(set, async (c) =>
    c.json(presentBudget(await money.setBudget(c.req.valid('json'), c.get('caller'))), 200),
  );
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid('param');
    await money.removeBudget(id, c.get('caller'));
    return c.json({ removed: id }, 200);
  });
  app.openapi(costs, async (c) => {
    const query = c.req.valid('query');
    const report = await money.costs({
      rig: query.rig === undefined ? undefined : parseRigName(query.rig),
      convoy: query.convoy === undefined ? undefined : parseConvoyId(query.convoy),
      bead: query.bead === undefined ? undefined : parseBeadId(query.bead),
      sinceMs: query.since,
      by: query.by,
    });
    const body: CostsItem = {
      total: presentSum(report.total),
      merged: report.merged,
      per_merged_micro_usd: report.perMergedMicroUsd,
      waste: report.waste.map((row) => ({ cause: row.cause, sum: presentSum(row.sum) })),
      engines: report.engines.map((row) => ({ runtime: row.runtime, model: row.model, sum: presentSum(row.sum) })),
      rigs: report.rigs.map((row) => ({ rig: row.rig, sum: presentSum(row.sum) })),
      groups: report.groups.map((row) => ({ key: row.key, sum: presentSum(row.sum) })),
    };
    return c.json(body, 200);
  });
  app.openapi(quota, async (c) => c.json({ items: (await money.listQuota()).map(presentQuota), next: null }, 200));
}

const presentSum = (sum: CostSum): CostsItem['total'] => ({
  attempts: sum.attempts,
  tokens_in: sum.tokensIn,
  tokens_out: sum.tokensOut,
  tokens_cached: sum.tokensCached,
  micro_usd: sum.microUsd,
  unknown_cost: sum.unknownCost,
  unknown_tokens: sum.unknownTokens,
  reserved_micro_usd: sum.reservedMicroUsd,
  reserved_tokens: sum.reservedTokens,
  assumed_micro_usd: sum.assumedMicroUsd,
  assumed_tokens: sum.assumedTokens,
});

const presentBudget = (budget: BudgetSummary): BudgetItem => ({
  id: budget.id,
  scope: budget.scope,
  unit: budget.unit,
  kind: budget.kind,
  amount: budget.amount,
  source: budget.source,
  spent: budget.spent,
  reserved: budget.reserved,
  waited_for: budget.isWaitedFor,
  parts: budget.parts.map((part) => ({
    rig: part.rig,
    given: part.granted - part.returned,
    spent: part.spent,
    reserved: part.reserved,
    waiting: part.waiting,
  })),
});

const presentQuota = (window: QuotaSummary): QuotaItem => ({
  scope: window.scope,
  account: window.account,
  model: window.model,
  closed_at: window.openedAtMs,
  resets_at: window.resetsAtMs,
  known: window.isKnown,
  reason: window.reason,
  rigs: [...window.rigs],
  parked: window.parked,
});
