/** What both code hosts must say the same of, in hard cases: other owners, lists that are behind, many of everything. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bench, type Bench, FORGE_KINDS, HEAD, Seed, shown } from '../support/forge/bench.ts';

const seed = new Seed();
afterAll(() => {
  seed.remove();
});

describe.each(FORGE_KINDS)('a forge of the kind %s', (kind) => {
  let at: Bench;
  beforeEach(async () => {
    at = await bench(kind, seed.copy());
  });
  afterEach(async () => {
    await at.server.close();
  });

  it('adopts none of another project whose branch has the same name (T25), and tells whose branch one is', async () => {
    at.server.forge.open({ head: HEAD, base: 'release', title: 'From a fork', by: 'eve' }).isFork = true;
    expect(await at.look()).toMatchObject({ branch: null });
    expect(shown(await at.port.open(at.opening()))).toMatchObject({ number: 2, branch: HEAD });
  });

  it('adopts an open one however old it is: people reopen what was over', async () => {
    at.server.forge.open({ head: HEAD, base: 'main', title: 'First' });
    at.server.forge.close(1);
    at.server.forge.reopen(1);
    expect(shown(await at.port.open(at.opening({ after: 1 })))).toMatchObject({ number: 1, state: 'open' });
    expect(at.server.forge.pulls).toHaveLength(1);
  });

  it('leaves to the caller how soon it asks again for one that is not listed yet', async () => {
    at.server.forge.open({ head: HEAD, base: 'main', title: 'First' });
    at.server.forge.listsNothing = true;
    expect(await at.port.open(at.opening())).toMatchObject({ state: 'later', retryAfterMs: null });
  });

  it('names what was merged when the branch moves on afterwards, or is gone', async () => {
    at.server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
    const head = at.git.tip(HEAD);
    const mergeSha = at.server.forge.mergeByHand(1, 'squash');
    const after = at.server.forge.push(HEAD, 'late.txt', 'too late\n');
    expect(at.git.tip(HEAD)).toBe(after);
    expect(await at.look()).toMatchObject({ state: 'merged', headSha: head, mergeSha });
    at.server.forge.deleteBranch(HEAD);
    expect(await at.look()).toMatchObject({ state: 'merged', headSha: head, mergeSha });
  });

  it('tells apart who asks for changes again, and shows the newest answer of a talk', async () => {
    const { forge } = at.server;
    forge.open({ head: HEAD, base: 'main', title: 'Add a' });
    const asked: string[] = [];
    for (const body of ['', '', 'Not so', 'Not so']) {
      forge.requestChanges(1, 'ann', body);
      const { changesRequested } = await at.look();
      expect(changesRequested).toMatchObject([{ by: 'ann', body }]);
      asked.push(changesRequested[0]?.id ?? '');
    }
    expect(new Set(asked).size).toBe(4);
    const talk = forge.openThread(1, { by: 'ann', body: 'Why?', path: 'a.txt', line: 1 });
    const before = await at.look();
    expect(before.threads).toMatchObject([{ by: 'ann', body: 'Why?', last: null }]);
    forge.reply(1, talk, 'bob', 'Because');
    const after = await at.look(before.tag);
    expect(after.threads).toMatchObject([{ by: 'ann', body: 'Why?', last: { by: 'bob', body: 'Because' } }]);
    forge.reply(1, talk, 'ann', 'Then say so there');
    expect((await at.look(after.tag)).threads).toMatchObject([{ last: { by: 'ann', body: 'Then say so there' } }]);
  });
});
