/** Databases of one town that are not of the same moment: one was lost, or brought back alone. */
import { describe, expect, it } from 'vitest';
import { finish, human, newConvoy, newTask, openTown, sling } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

const broken = async (town: VirtualTown): Promise<readonly string[]> => (await town.service.status()).violations;

describe('the messages between a rig and its town', () => {
  it('are whole in a town that works and crashes (I17)', async () => {
    const town = await openTown({ api: {}, web: {} });
    await finish(town, await sling(town, 'one'));
    await town.service.createConvoy(newConvoy({ tasks: [newTask('api', 'a'), newTask('web', 'b')] }), human);
    expect(await broken(town)).toEqual([]);
    town.crash();
    await town.service.start([]);
    await town.settle();
    expect(await broken(town)).toEqual([]);
  });

  it('that a rig can not hear any more are told by name, and not sent twenty times a second', async () => {
    const town = await openTown({ api: {} });
    await town.service.createConvoy(newConvoy({ tasks: [newTask('api', 'a')] }), human);
    await town.settle();
    town.crash();
    town.databases.delete('rig/api');
    await town.service.start([]);
    await town.settle();
    expect(await broken(town)).toContainEqual(expect.stringMatching(/^rig\/api: I17 its database is older/));
    // Its answer would need the rig.
    void town.service.createConvoy(newConvoy({ tasks: [newTask('api', 'b')] }), human).catch(() => undefined);
    await town.settle();
    await town.advance(10_000);
    const tries = town.databases.get('town')?.all(`SELECT MAX(tries) AS n FROM outbox WHERE state = 'pending'`)[0]?.[
      'n'
    ];
    expect(Number(tries)).toBeLessThan(12);
    expect(Number(tries)).toBeGreaterThan(1);
  });
});
