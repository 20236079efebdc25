import { createRoute, z } from '@hono/zod-openapi';
import { PAGE_SIZE_DEFAULT } from '../../core/limits.ts';
import { parseAgentId, parseBeadId, parseRigName } from '../../core/model/ids.ts';
import { name } from '../contract/common.ts';
import { searchPageSchema, searchQuerySchema } from '../contract/search.ts';
import { searchTranscripts } from '../search.ts';
import { answers, ownerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const search = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/transcripts`,
  security: ownerOnly,
  request: { params: z.object({ town: name }), query: searchQuerySchema },
  responses: answers(searchPageSchema, 'Lines of output that have the words, of the newest attempts first'),
});

export function registerSearch(app: App, deps: Deps): void {
  app.openapi(search, async (c) => {
    const { text, rig, bead, agent, since, cursor, limit } = c.req.valid('query');
    const filter = {
      rig: rig === undefined ? undefined : parseRigName(rig),
      bead: bead === undefined ? undefined : parseBeadId(bead),
      agent: agent === undefined ? undefined : parseAgentId(agent),
      sinceMs: since,
    };
    const wanted = { text, filter, cursor: cursor ?? null, limit: limit ?? PAGE_SIZE_DEFAULT };
    return c.json(await searchTranscripts(deps, wanted), 200);
  });
}
