/** A bead for one agent: whatever is named there becomes an agent of the rig, so only a polecat of the rig may be. */
import { expect, it } from 'vitest';
import { human, newBead, openTown, show } from '../support/town-story.ts';

const NONE = ['../../x', 'web/polecats/nux', 'api/refinery', 'mayor/', '<>', 'Nux'];

it('is of the polecat that a bare name means, however it is given', async () => {
  const town = await openTown();
  const plain = await town.service.createBead(newBead('later', { sling: false }), human);
  const created = await town.service.createBead(newBead('now', { pinnedAgent: 'zed' }), human);
  const how = { bead: plain.id, runtime: null, model: null, pinnedAgent: 'max' };
  await town.service.beadCommand({ type: 'sling', sling: how }, human);
  await town.settle();
  expect(await show(town, created.id)).toMatchObject({ pinnedAgent: 'api/polecats/zed', phase: 'running' });
  expect(await show(town, plain.id)).toMatchObject({ pinnedAgent: 'api/polecats/max', phase: 'running' });
  await town.service.beadCommand({ type: 'reassign', bead: plain.id, agent: 'ace' }, human);
  await town.settle();
  expect(await show(town, plain.id)).toMatchObject({ pinnedAgent: 'api/polecats/ace', phase: 'running' });
});

it.each(NONE)('is refused for %j, and nothing changes', async (agent) => {
  const town = await openTown();
  const bead = await town.service.createBead(newBead('later', { sling: false }), human);
  const refused = { code: 'bad_agent', kind: 'usage' };
  await expect(town.service.createBead(newBead('now', { pinnedAgent: agent }), human)).rejects.toMatchObject(refused);
  for (const command of [
    { type: 'sling', sling: { bead: bead.id, runtime: null, model: null, pinnedAgent: agent } },
    { type: 'reassign', bead: bead.id, agent },
  ] as const)
    await expect(town.service.beadCommand(command, human)).rejects.toMatchObject(refused);
  await town.settle();
  expect(await show(town, bead.id)).toMatchObject({ pinnedAgent: null, hold: 'staged' });
  expect(await town.service.listAgents()).toEqual([]);
  expect((await town.service.listBeads({ includeMergeRequests: true, limit: 50 })).items).toHaveLength(1);
});
