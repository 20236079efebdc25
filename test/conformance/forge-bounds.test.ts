/** Bounds of both code hosts: long titles, many checks, pipelines of other commits, echoes. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bench, type Bench, FORGE_KINDS, HEAD, Seed, shown } from '../support/forge/bench.ts';
import { FAKE_TOKEN } from '../support/forge/wire.ts';

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

  it('gets a title as long as it takes, of whole characters, and no draft by its words', async () => {
    shown(await at.port.open(at.opening({ title: `${'x'.repeat(253)}${'\u{1F600}'.repeat(50)}` })));
    const { title } = at.server.forge.get(1);
    expect(title.length).toBeLessThanOrEqual(kind === 'github' ? 256 : 255);
    expect(title).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
    at.git.setBranch('gt/sh-2', at.git.commit(at.git.tip('main'), 'b.txt', 'two\n'));
    const draft = at.opening({ title: 'Draft: the letter', head: 'gt/sh-2', headSha: at.git.tip('gt/sh-2') });
    expect(shown(await at.port.open(draft)).isDraft).toBe(false);
    expect(at.server.forge.get(2).title).toContain('Draft: the letter');
  });

  it('takes a talk that is too far behind to be read for no consent', async () => {
    at.server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
    const say = (): string => at.server.forge.openThread(1, { by: 'bob', body: 'Why?', path: 'a.txt', line: 1 });
    for (let n = 0; n < 700; n += 1) at.server.forge.resolve(1, say());
    say();
    expect((await at.look()).threads).toHaveLength(1);
    for (let n = 0; n < 1_300; n += 1) at.server.forge.resolve(1, say());
    expect(await at.lookRaw()).toMatchObject({ state: 'refused', error: expect.stringContaining('2000 talks') });
  });

  it('never repeats a token that stands where an error is cut', async () => {
    at.server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
    for (const after of [260, 270, 275, 280, 285, 290]) {
      at.server.faults.plan({ kind: 'echo', after });
      expect(JSON.stringify(await at.lookRaw())).not.toContain(FAKE_TOKEN.slice(0, 5));
    }
  });
});

describe('GitHub alone', () => {
  it('names a red check beyond the first hundred', async () => {
    const at = await bench('github', seed.copy());
    try {
      at.server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
      for (let n = 0; n < 100; n += 1) at.server.forge.check(1, `green ${String(n)}`, 'success');
      at.server.forge.check(1, 'the last', 'failure');
      expect((await at.look()).checks).toMatchObject({
        state: 'red',
        failing: [{ name: 'one beyond the first hundred' }],
      });
    } finally {
      await at.server.close();
    }
  });
});

describe('GitLab alone', () => {
  let at: Bench;
  beforeEach(async () => {
    at = await bench('gitlab', seed.copy());
    at.server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
  });
  afterEach(async () => {
    await at.server.close();
  });

  it('takes no pipeline of the commit before for the new one', async () => {
    const { forge } = at.server;
    forge.check(1, 'build', 'success');
    forge.pipelineOf = at.git.tip(HEAD);
    expect((await at.look()).checks.state).toBe('green');
    forge.push(HEAD, 'b.txt', 'red now\n');
    expect((await at.look()).checks.state).toBe('unknown');
  });

  it('takes a pipeline on the merge of both only when it has this head', async () => {
    const { forge } = at.server;
    forge.check(1, 'build', 'success');
    forge.pipelineOf = at.git.tip(HEAD);
    const tree = at.git.run('rev-parse', `${HEAD}^{tree}`);
    const sha = at.git.run('commit-tree', tree, '-p', 'main', '-p', HEAD, '-m', 'Both');
    forge.rules.mergedPipeline = { sha };
    expect((await at.look()).checks.state).toBe('green');
    forge.push(HEAD, 'b.txt', 'red now\n');
    expect((await at.look()).checks.state).toBe('unknown');
  });

  it('says that a pipeline waits for a hand', async () => {
    at.server.forge.check(1, 'deploy', 'manual');
    expect((await at.look()).checks).toMatchObject({
      state: 'red',
      failing: [{ name: 'pipeline', isForPeople: true }],
    });
  });
});
