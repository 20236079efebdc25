/** Closing the pull request of cancelled work, asked of both code hosts. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TownForge } from '../../src/forge/town-forge.ts';
import type { ClosePullRequest, OpenPullRequest } from '../../src/ports/forge.ts';
import type { BareGit } from '../support/forge/bare-git.ts';
import { bench, FORGE_KINDS, HEAD, Seed } from '../support/forge/bench.ts';
import type { ForgeServer } from '../support/forge/server.ts';
import { FAKE_TOKEN } from '../support/forge/wire.ts';

const seed = new Seed();
afterAll(() => {
  seed.remove();
});

describe.each(FORGE_KINDS)('a forge of the kind %s', (kind) => {
  let server: ForgeServer;
  let git: BareGit;
  const port = (): TownForge => new TownForge({ secret: () => FAKE_TOKEN, nowMs: () => Date.now() });

  beforeEach(async () => {
    ({ server, git } = await bench(kind, seed.copy()));
  });
  afterEach(async () => {
    await server.close();
  });

  const tip = (branch: string): string => git.tip(branch);
  const opening = (more: Partial<OpenPullRequest> = {}): OpenPullRequest => ({
    site: server.site,
    head: HEAD,
    headSha: tip(HEAD),
    base: 'main',
    title: 'Add a',
    body: 'What it does',
    after: null,
    ...more,
  });
  const isOpen = (method: string, path: string): boolean => method === 'POST' && path !== '/graphql';

  const MARK = 'Gt-Merge-Request: app-mr1';
  const closing = (number: number | null = 1): ClosePullRequest => ({
    site: server.site,
    number,
    head: HEAD,
    ours: 'Gt-Merge-Request: ',
    mark: MARK,
    comment: 'sh-1 was cancelled by ann: not needed.',
  });
  const said = (number = 1): readonly string[] => server.forge.get(number).comments;
  const isComment = (method: string, path: string): boolean => method === 'POST' && /(comments|notes)$/.test(path);
  const isClose = (method: string, path: string): boolean =>
    method === (kind === 'github' ? 'PATCH' : 'PUT') && /\d$/.test(path);

  it('closes what the town opened, with one comment, however often it is asked', async () => {
    await port().open(opening({ body: `What it does\n\n${MARK}\n` }));
    const closed = { state: 'ok', end: 'closed', number: 1, mergeSha: null };
    expect(await port().close(closing())).toEqual(closed);
    expect(await port().close(closing())).toEqual(closed);
    expect(server.forge.get(1).state).toBe('closed');
    expect(said()).toEqual([`sh-1 was cancelled by ann: not needed.\n\n${MARK}`]);
  });

  it('comments once and closes though both answers are lost', async () => {
    await port().open(opening({ body: MARK }));
    server.faults.plan({ kind: 'cut_after' }, isComment);
    server.faults.plan({ kind: 'cut_after' }, isClose);
    expect(await port().close(closing())).toMatchObject({ state: 'later' });
    expect(await port().close(closing())).toMatchObject({ state: 'later' });
    expect(await port().close(closing())).toMatchObject({ state: 'ok', end: 'closed' });
    expect(said()).toHaveLength(1);
    expect(server.calls.filter((call) => isClose(call.method, call.path))).toHaveLength(1);
  });

  it('finds by its branch what was opened although the answer was lost', async () => {
    expect(await port().close(closing(null))).toEqual({ state: 'ok', end: 'none', number: null, mergeSha: null });
    server.faults.plan({ kind: 'cut_after' }, isOpen);
    await port().open(opening({ body: MARK }));
    expect(await port().close(closing(null))).toMatchObject({ end: 'closed', number: 1 });
  });

  it('leaves open what somebody else opened, and says so there once', async () => {
    server.forge.open({ head: HEAD, base: 'main', title: 'By hand', by: 'ann' });
    expect(await port().close(closing())).toMatchObject({ state: 'ok', end: 'left', number: 1 });
    expect(await port().close(closing())).toMatchObject({ state: 'ok', end: 'left', number: 1 });
    expect(server.forge.get(1).state).toBe('open');
    expect(said()).toHaveLength(1);
    // Nobody said that it is the branch's: it is not even commented.
    expect(await port().close(closing(null))).toMatchObject({ end: 'none' });
  });

  it('says what people merged or closed meanwhile, and writes nothing there', async () => {
    await port().open(opening({ body: MARK }));
    const mergeSha = server.forge.mergeByHand(1);
    expect(await port().close(closing())).toEqual({ state: 'ok', end: 'merged', number: 1, mergeSha });
    git.setBranch('gt/sh-2', git.commit(tip('main'), 'b.txt', 'two\n'));
    await port().open(opening({ head: 'gt/sh-2', headSha: tip('gt/sh-2'), body: MARK }));
    server.forge.close(2);
    expect(await port().close({ ...closing(2), head: 'gt/sh-2' })).toMatchObject({ end: 'closed', number: 2 });
    expect([...said(1), ...said(2)]).toEqual([]);
  });

  it('says that the token may not, and that there is none such', async () => {
    await port().open(opening({ body: MARK }));
    server.faults.plan({ kind: 'status', status: 403 }, isClose);
    expect(await port().close(closing())).toMatchObject({ state: 'refused', code: 'no_right' });
    expect(await port().close(closing(99))).toMatchObject({ state: 'refused', code: 'not_found' });
    expect(await port().close({ ...closing(), head: 'gt/sh-9' })).toMatchObject({
      state: 'refused',
      code: 'not_found',
    });
  });
});
