/** Formulas at work: attached by people or the mayor, followed by agents step by step. */
import { createRoute, z } from '@hono/zod-openapi';
import { parseBeadId } from '../../core/model/ids.ts';
import { makeFormula } from '../../core/model/molecule.ts';
import { capabilityFor } from '../auth.ts';
import { beadDetailSchema } from '../contract/beads.ts';
import { name } from '../contract/common.ts';
import { advanceSchema, formulaSchema, moleculeSchema } from '../contract/molecules.ts';
import { presentMolecule } from '../present-molecule.ts';
import { presentBeadDetail } from '../present.ts';
import { ifMatch } from '../if-match.ts';
import { agentOnly, answers, jsonBody, ownerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const town = z.object({ town: name });

const attach = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/beads/{id}/formula`,
  security: ownerOnly,
  request: { params: z.object({ town: name, id: name }), ...ifMatch, ...jsonBody(formulaSchema) },
  responses: answers(beadDetailSchema, 'The bead with its steps'),
});
const current = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agent/mol`,
  security: agentOnly,
  request: { params: town },
  responses: answers(moleculeSchema, 'The steps of the own bead'),
});
const advance = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/mol/advance`,
  security: agentOnly,
  request: { params: town, ...jsonBody(advanceSchema) },
  responses: answers(moleculeSchema, 'The steps after it'),
});

export function registerMolecules(app: App, { gateway }: Deps): void {
  app.openapi(attach, async (c) => {
    const bead = parseBeadId(c.req.valid('param').id);
    const { name: formulaName, steps } = c.req.valid('json');
    const formula = makeFormula(formulaName, steps);
    await gateway.beadCommand({ type: 'attach_formula', bead, formula }, c.get('caller'));
    return c.json(presentBeadDetail(await gateway.getBead(bead)), 200);
  });
  app.openapi(current, async (c) =>
    c.json(presentMolecule(await gateway.talk.molecule(capabilityFor(c, 'mol_current'))), 200),
  );
  app.openapi(advance, async (c) => {
    const { step, status, summary } = c.req.valid('json');
    const report = { step, status: status ?? 'done', summary } as const;
    return c.json(presentMolecule(await gateway.talk.advance(capabilityFor(c, 'mol_advance'), report)), 200);
  });
}
