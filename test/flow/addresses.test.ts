/** A password or token in a rig's address: no new one gets into a town, and one of before is told until it is gone. */
import { describe, expect, it } from 'vitest';
import { openTown } from '../support/town-story.ts';
import { rigConfig } from '../support/virtual-town.ts';

const TOKEN = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a';
const url = `https://${TOKEN}@github.com/acme/shop`;
const refused = { kind: 'usage', code: 'password_in_url', message: expect.not.stringContaining(TOKEN) };

describe('an address with a token in it', () => {
  it('is refused of a rig that is new and of one that has another, before anything is written', async () => {
    const town = await openTown();
    const before = await town.service.listRigs();
    for (const name of ['api', 'shop']) {
      const config = rigConfig(name, { url });
      expect(() => town.service.mustTake([config])).toThrow(expect.objectContaining(refused));
      await expect(town.service.addRig(config)).rejects.toMatchObject(refused);
      await expect(town.service.configure([config])).rejects.toMatchObject(refused);
    }
    expect(await town.service.listRigs()).toEqual(before);
    expect(await town.service.attention()).toEqual([]);
  });

  it('that a town of an older program has stays and is told, until a person changes it', async () => {
    const town = await openTown();
    town.tampered = true;
    const was = rigConfig('api', { url });
    town.databases.get('town')?.all('UPDATE rigs SET git_url = ?, config = ?', url, JSON.stringify(was));
    town.crash();
    await town.service.start([was]);
    await town.settle();
    const told = {
      kind: 'rig',
      severity: 'medium',
      subject: 'rig:api',
      command: 'gt config set rigs.api.url <address>',
    };
    expect(await town.service.attention()).toMatchObject([told]);
    expect(await town.service.why('api')).toMatchObject({
      sentence: expect.stringContaining('has a password or token in it'),
      next: expect.stringContaining('sets https://github.com/acme/shop,'),
    });
    town.service.mustTake([{ ...was, polecatsMax: 1 }]);
    expect(() => town.service.mustTake([{ ...was, url: url.replace('ghp_1', 'ghp_2') }])).toThrow(
      expect.objectContaining(refused),
    );
    await town.service.configure([{ ...was, url: 'https://github.com/acme/shop' }]);
    expect(await town.service.attention()).toEqual([]);
  });
});
