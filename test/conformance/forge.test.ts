/** Both code hosts behind the one port, against a fake host over a real repository. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullRequest } from '../../src/core/model/pull-request.ts';
import { TownForge } from '../../src/forge/town-forge.ts';
import type { ForgeAnswer, MergePullRequest, OpenPullRequest } from '../../src/ports/forge.ts';
import type { BareGit } from '../support/forge/bare-git.ts';
import { bench, FORGE_KINDS, HEAD, Seed } from '../support/forge/bench.ts';
import { pictureOf } from '../support/forge/github-graphql.ts';
import type { ForgeServer } from '../support/forge/server.ts';
import { FAKE_TOKEN } from '../support/forge/wire.ts';

const seed = new Seed();
afterAll(() => {
  seed.remove();
});

describe.each(FORGE_KINDS)('a forge of the kind %s', (kind) => {
  let server: ForgeServer;
  let git: BareGit;
  let nowMs: number;
  const port = (secret: (reference: string) => string | null = () => FAKE_TOKEN, timeoutMs = 15_000): TownForge =>
    new TownForge({ secret, nowMs: () => nowMs, timeoutMs });

  beforeEach(async () => {
    nowMs = Date.now();
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
  const merging = (more: Partial<MergePullRequest> = {}): MergePullRequest => ({
    ref: { site: server.site, number: 1 },
    expectedHead: tip(HEAD),
    expectedBase: 'main',
    style: 'merge',
    title: 'Add a (sh-1)',
    message: 'Bead: sh-1',
    ...more,
  });
  const seen = (answer: ForgeAnswer | { readonly state: 'unchanged' }): PullRequest => {
    if (answer.state !== 'ok') throw new Error(JSON.stringify(answer));
    return answer.pullRequest;
  };
  const look = async (tag: string | null = null): Promise<PullRequest> =>
    seen(await port().look({ site: server.site, number: 1 }, tag));
  const lookRaw = (tag: string | null = null): ReturnType<TownForge['look']> =>
    port().look({ site: server.site, number: 1 }, tag);
  const isMerge = (method: string, path: string): boolean => method === 'PUT' && path.endsWith('/merge');
  const isOpen = (method: string, path: string): boolean => method === 'POST' && path !== '/graphql';

  describe('open', () => {
    it('opens one, and finds it when it is asked again', async () => {
      const first = seen(await port().open(opening()));
      expect(first).toMatchObject({
        number: 1,
        state: 'open',
        base: 'main',
        headSha: tip(HEAD),
        mergeSha: null,
        isDraft: false,
      });
      expect(first.url).toMatch(/^https:/);
      expect(seen(await port().open(opening())).number).toBe(1);
      expect(server.forge.pulls).toHaveLength(1);
      expect(server.forge.get(1)).toMatchObject({ title: 'Add a', body: 'What it does' });
    });

    it('adopts one that a person opened', async () => {
      server.forge.open({ head: HEAD, base: 'main', title: 'By hand', by: 'ann' });
      expect(seen(await port().open(opening())).number).toBe(1);
      expect(server.forge.pulls).toHaveLength(1);
    });

    it('refuses a wrong base of an open one (T25), and makes no second one', async () => {
      server.forge.open({ head: HEAD, base: 'release', title: 'For the release', by: 'ann' });
      expect(await port().open(opening())).toMatchObject({ state: 'refused', code: 'wrong_base' });
      expect(server.forge.pulls).toHaveLength(1);
    });

    it('makes one though its answer is lost', async () => {
      server.faults.plan({ kind: 'cut_after' }, isOpen);
      expect(await port().open(opening())).toMatchObject({ state: 'later', retryAfterMs: null });
      expect(seen(await port().open(opening())).number).toBe(1);
      expect(server.forge.pulls).toHaveLength(1);
    });

    it('finds one that was merged or closed before the lost answer was asked for again', async () => {
      server.faults.plan({ kind: 'cut_after' }, isOpen);
      const request = opening();
      await port().open(request);
      const mergeSha = server.forge.mergeByHand(1);
      expect(seen(await port().open(request))).toMatchObject({ number: 1, state: 'merged', mergeSha });
    });

    it('does not adopt one that is known to be over', async () => {
      server.forge.open({ head: HEAD, base: 'main', title: 'First' });
      server.forge.close(1);
      expect(seen(await port().open(opening())).state).toBe('closed');
      expect(seen(await port().open(opening({ after: 1 })))).toMatchObject({ number: 2, state: 'open' });
    });

    it('says when the branch has nothing new, and when there is no such base', async () => {
      git.setBranch('gt/empty', tip('main'));
      const empty = await port().open(opening({ head: 'gt/empty', headSha: tip('main') }));
      expect(empty).toMatchObject({ state: 'refused', code: kind === 'github' ? 'no_commits' : 'invalid' });
      expect(await port().open(opening({ base: 'nowhere' }))).toMatchObject({ state: 'refused', code: 'invalid' });
    });
  });

  describe('look', () => {
    beforeEach(() => {
      server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
    });

    it('sees what people and checks do, one after the other', async () => {
      const { forge } = server;
      expect(await look()).toMatchObject({
        checks: { state: 'none', failing: [] },
        approvals: 0,
        threads: [],
        mergeable: 'clean',
      });
      forge.check(1, 'build', 'running');
      expect((await look()).checks.state).toBe('running');
      forge.check(1, 'build', 'failure', { text: '3 tests failed' });
      expect((await look()).checks).toMatchObject({ state: 'red', failing: [{ name: 'build' }] });
      expect((await look()).checks.failing[0]?.isForPeople).toBeUndefined();
      server.forge.check(1, 'build', 'cancelled');
      expect((await look()).checks).toMatchObject({ state: 'red', failing: [{ isForPeople: true }] });
      forge.check(1, 'build', 'success');
      expect((await look()).checks).toEqual({ state: 'green', failing: [] });
      forge.approve(1, 'ann');
      forge.approve(1, 'bob');
      expect((await look()).approvals).toBe(2);
      forge.requestChanges(1, 'bob', 'Please name it b');
      expect(await look()).toMatchObject({ approvals: 1, changesRequested: [{ by: 'bob' }] });
      const thread = forge.openThread(1, { by: 'bob', body: 'Why this?', path: 'a.txt', line: 1 });
      expect((await look()).threads).toEqual([
        { id: thread, path: 'a.txt', line: 1, by: 'bob', body: 'Why this?', last: null },
      ]);
      forge.resolve(1, thread);
      expect((await look()).threads).toEqual([]);
      forge.setDraft(1, true);
      expect(await look()).toMatchObject({ isDraft: true, mergeable: 'blocked' });
      forge.setDraft(1, false);
      forge.changeBase(1, 'release');
      expect((await look()).base).toBe('release');
    });

    it('counts no approval of an outsider', async () => {
      server.forge.approve(1, 'stranger', true);
      expect((await look()).approvals).toBe(0);
    });

    it('sees a push of somebody else, a conflict, and a branch that is gone', async () => {
      server.forge.approve(1, 'ann');
      server.forge.rules.dismissesStale = true;
      server.forge.check(1, 'build', 'success');
      const pushed = server.forge.forcePush(HEAD, 'main', 'read.me', 'mine\n');
      expect(await look()).toMatchObject({ headSha: pushed, approvals: 0, checks: { state: 'none' } });
      server.forge.push('main', 'read.me', 'yours\n');
      expect((await look()).mergeable).toBe('conflict');
      server.forge.deleteBranch(HEAD);
      expect(await look()).toMatchObject({ headSha: null, state: kind === 'github' ? 'closed' : 'open' });
    });

    it('sees a close, an opening again, and merges by hand: by the button and by a push', async () => {
      server.forge.close(1);
      expect((await look()).state).toBe('closed');
      server.forge.reopen(1);
      expect((await look()).state).toBe('open');
      const mergeSha = server.forge.mergeByHand(1, 'squash');
      expect(await look()).toMatchObject({ state: 'merged', mergeSha });
      git.setBranch('gt/sh-2', git.commit(tip('main'), 'b.txt', 'two\n'));
      server.forge.open({ head: 'gt/sh-2', base: 'main', title: 'Add b' });
      git.setBranch('main', tip('gt/sh-2'));
      expect(seen(await port().look({ site: server.site, number: 2 }, null))).toMatchObject({
        state: 'merged',
        mergeSha: tip('main'),
      });
    });

    it('says "unchanged" until something is new', async () => {
      const first = await look();
      expect(await lookRaw(first.tag)).toEqual({ state: 'unchanged' });
      server.forge.check(1, 'build', 'success');
      const second = await look(first.tag);
      expect(second.checks.state).toBe('green');
      expect(await lookRaw(second.tag)).toEqual({ state: 'unchanged' });
      server.forge.openThread(1, { by: 'bob', body: 'Why?', path: 'a.txt', line: 1 });
      expect((await look(second.tag)).threads).toHaveLength(1);
      const pushed = server.forge.push(HEAD, 'c.txt', 'three\n');
      expect((await look(second.tag)).headSha).toBe(pushed);
      expect((await look('rubbish')).headSha).toBe(pushed);
    });

    it('waits for a host that has not judged yet', async () => {
      server.forge.get(1).unjudged = 2;
      const first = await look();
      expect(first.mergeable).toBe('unknown');
      let last = first;
      for (let looks = 0; looks < 4 && last.mergeable === 'unknown'; looks += 1) {
        const answer = await lookRaw(last.tag);
        if (answer.state === 'ok') last = answer.pullRequest;
      }
      expect(last.mergeable).toBe('clean');
    });

    it('bounds what outsiders write, and takes control characters out', async () => {
      for (let at = 0; at < 120; at += 1) {
        const body = at === 0 ? `\u001b[31mred\u0000\r\nline ${'x'.repeat(9_000)}` : 'again';
        server.forge.openThread(1, { by: 'bob', body, path: 'a.txt', line: at + 1 });
      }
      const { threads } = await look();
      expect(threads).toHaveLength(50);
      expect(threads[0]?.body).toMatch(/^\[31mred\nline x+…$/);
      expect(threads[0]?.body.length).toBe(2_000);
      for (const thread of server.forge.get(1).threads.slice(0, 110)) thread.isResolved = true;
      expect((await look()).threads.map((thread) => thread.line)).toEqual([
        111, 112, 113, 114, 115, 116, 117, 118, 119, 120,
      ]);
    });

    it('tells an unknown number and an unknown project apart from silence', async () => {
      const nobody = await port().look({ site: server.site, number: 99 }, null);
      expect(nobody).toMatchObject({ state: 'refused', code: 'not_found' });
      const elsewhere = await port().look({ site: { ...server.site, project: 'acme/other' }, number: 1 }, null);
      expect(elsewhere).toMatchObject({ state: 'refused', code: 'not_found' });
    });
  });

  describe('merge', () => {
    beforeEach(() => {
      server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
    });

    it('merges the expected commit with the given words', async () => {
      const merged = seen(await port().merge(merging()));
      expect(merged).toMatchObject({ state: 'merged', mergeSha: tip('main') });
      expect(git.run('log', '-1', '--format=%B', 'main')).toBe('Add a (sh-1)\n\nBead: sh-1');
      expect(git.run('log', '-1', '--format=%P', 'main').split(' ')).toHaveLength(2);
      expect((await look()).mergeSha).toBe(tip('main'));
    });

    it('squashes, and refuses a style that the project does not have', async () => {
      server.forge.rules.styles = ['squash', 'rebase'];
      expect(await port().merge(merging())).toMatchObject({ state: 'refused', code: 'bad_style' });
      expect(seen(await port().merge(merging({ style: 'squash' }))).mergeSha).toBe(tip('main'));
      expect(git.run('log', '-1', '--format=%P', 'main').split(' ')).toHaveLength(1);
    });

    it('rebases', async () => {
      server.forge.rules.styles = ['squash', 'rebase'];
      // GitLab has the base brought into the branch first.
      if (kind === 'github') server.forge.push('main', 'other.txt', 'x\n');
      expect(seen(await port().merge(merging({ style: 'rebase' })))).toMatchObject({
        state: 'merged',
        mergeSha: tip('main'),
      });
      expect(git.run('log', '-1', '--format=%s', 'main')).toBe('Change a.txt');
    });

    it('merges no other commit than the expected one', async () => {
      const request = merging();
      server.forge.push(HEAD, 'b.txt', 'sneaked in\n');
      const before = tip('main');
      expect(await port().merge(request)).toMatchObject({ state: 'refused', code: 'head_moved' });
      expect(tip('main')).toBe(before);
    });

    it('refuses a wrong base at the merge (T25)', async () => {
      server.forge.changeBase(1, 'release');
      const before = tip('release');
      expect(await port().merge(merging())).toMatchObject({ state: 'refused', code: 'wrong_base' });
      expect(tip('release')).toBe(before);
    });

    it.each([
      ['closed', 'closed', (): void => server.forge.close(1)],
      ['draft', 'not_mergeable', (): void => server.forge.setDraft(1, true)],
      ['in conflict', 'not_mergeable', (): void => void server.forge.push('main', 'a.txt', 'theirs\n')],
      [
        'without the approvals that the host wants',
        'not_mergeable',
        (): void => void (server.forge.rules.approvals = 1),
      ],
    ])('refuses one that is %s', async (_what, code, change) => {
      change();
      expect(await port().merge(merging())).toMatchObject({ state: 'refused', code });
      expect(server.forge.get(1).state).not.toBe('merged');
    });

    it('merges once though the answer is lost', async () => {
      server.faults.plan({ kind: 'cut_after' }, isMerge);
      const request = merging();
      expect(await port().merge(request)).toMatchObject({ state: 'later' });
      const after = tip('main');
      expect(seen(await port().merge(request))).toMatchObject({ state: 'merged', mergeSha: after });
      expect(tip('main')).toBe(after);
      expect(server.calls.filter((call) => isMerge(call.method, call.path))).toHaveLength(1);
    });

    it('says what a person merged in the meantime', async () => {
      const request = merging();
      const mergeSha = server.forge.mergeByHand(1);
      expect(seen(await port().merge(request))).toMatchObject({ state: 'merged', mergeSha });
    });
  });

  describe('what is no answer', () => {
    beforeEach(() => {
      server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
    });

    it.each([
      ['500', { kind: 'status', status: 500 }],
      ['502 with a page of a proxy', { kind: 'html', status: 502 }],
      ['200 with a page of a proxy', { kind: 'html', status: 200 }],
      ['half of the JSON', { kind: 'half' }],
      ['a connection that ends in the answer', { kind: 'torn' }],
      ['a connection that ends before it', { kind: 'cut_before' }],
    ] as const)('waits after %s', async (_what, fault) => {
      const request = merging();
      server.faults.plan(fault, undefined, 20);
      const answers = [await lookRaw(), await port().merge(request), await port().open(opening())];
      for (const answer of answers) expect(answer).toMatchObject({ state: 'later', retryAfterMs: null });
      server.faults.clear();
      expect(server.forge.get(1).state).toBe('open');
      expect((await look()).state).toBe('open');
    });

    it('waits no longer than its time', async () => {
      server.faults.plan({ kind: 'late', ms: 2_000 });
      const answer = await port(() => FAKE_TOKEN, 100).look({ site: server.site, number: 1 }, null);
      expect(answer).toEqual({
        state: 'later',
        error: 'the host gave no whole answer: it took too long',
        retryAfterMs: null,
      });
    });

    it('waits as long as a limit lasts', async () => {
      server.faults.plan({ kind: 'limited', resetInS: 90 });
      expect(await lookRaw()).toMatchObject({ state: 'later', retryAfterMs: expect.closeTo(90_000, -4) as unknown });
      server.faults.plan({ kind: 'too_many', retryAfterS: 30 });
      expect(await lookRaw()).toMatchObject({ state: 'later', retryAfterMs: 30_000 });
      server.faults.plan({ kind: 'secondary' });
      expect(await lookRaw()).toMatchObject({ state: 'later', retryAfterMs: 60_000 });
      server.faults.plan({ kind: 'too_many', retryAfterS: 10_000_000 });
      expect(await lookRaw()).toMatchObject({ state: 'later', retryAfterMs: 3_660_000 });
    });

    it('asks nobody when nobody listens', async () => {
      const site = { ...server.site, apiUrl: 'http://127.0.0.1:9' };
      expect(await port().look({ site, number: 1 }, null)).toMatchObject({ state: 'later' });
    });

    it('refuses what does not get better by itself', async () => {
      expect(await port(() => null).open(opening())).toMatchObject({ state: 'refused', code: 'no_token' });
      const broken = port(() => {
        throw new Error('there is no secret');
      });
      expect(await broken.open(opening())).toMatchObject({ state: 'refused', code: 'no_token' });
      expect(await port(() => 'another').open(opening())).toMatchObject({ state: 'refused', code: 'no_right' });
      server.faults.plan({ kind: 'status', status: 403 });
      expect(await lookRaw()).toMatchObject({ state: 'refused', code: 'no_right' });
      server.faults.plan({ kind: 'moved' });
      expect(await lookRaw()).toMatchObject({ state: 'refused', code: 'moved' });
    });

    it('never repeats the token', async () => {
      server.faults.plan({ kind: 'echo' }, undefined, 20);
      for (const answer of [await lookRaw(), await port().open(opening()), await port().merge(merging())]) {
        expect(answer.state).not.toBe('ok');
        expect(JSON.stringify(answer)).not.toContain(FAKE_TOKEN);
      }
    });
  });
});

describe('GitHub alone', () => {
  let server: ForgeServer;
  let nowMs = Date.now();
  const port = new TownForge({ secret: () => FAKE_TOKEN, nowMs: () => nowMs });
  const look = (tag: string | null): ReturnType<TownForge['look']> => port.look({ site: server.site, number: 1 }, tag);
  const merge = (): Promise<ForgeAnswer> => {
    const expectedHead = server.forge.get(1).headSha;
    const ref = { site: server.site, number: 1 };
    return port.merge({ ref, expectedHead, expectedBase: 'main', style: 'merge', title: 'Add a', message: '' });
  };

  beforeEach(async () => {
    nowMs = Date.now();
    ({ server } = await bench('github', seed.copy()));
    server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
  });
  afterEach(async () => {
    await server.close();
  });

  it('costs nothing of the rate while nothing is new', async () => {
    const first = await look(null);
    const before = server.cost();
    for (let looks = 0; looks < 10; looks += 1) await look(first.state === 'ok' ? first.pullRequest.tag : null);
    expect(server.cost()).toBe(before);
  });

  it('sees what no ETag tells after a while', async () => {
    const thread = server.forge.openThread(1, { by: 'bob', body: 'Why?', path: 'a.txt', line: 1 });
    const first = await look(null);
    const tag = first.state === 'ok' ? first.pullRequest.tag : null;
    server.forge.resolve(1, thread);
    expect(await look(tag)).toEqual({ state: 'unchanged' });
    nowMs += 61 * 60_000;
    expect(await look(tag)).toMatchObject({ state: 'ok', pullRequest: { threads: [] } });
  });

  it('does not take the picture of a replica that is behind', async () => {
    const old = pictureOf(server.forge, server.forge.get(1));
    server.forge.shownOlder.set(1, old);
    server.forge.requestChanges(1, 'ann', 'Not so');
    expect(await look(null)).toMatchObject({ state: 'later' });
    server.forge.shownOlder.clear();
    expect(await look(null)).toMatchObject({
      state: 'ok',
      pullRequest: { changesRequested: [{ by: 'ann', body: 'Not so' }] },
    });
  });

  it('takes the youngest run of a check, and reads statuses of the older kind', async () => {
    server.forge.check(1, 'build', 'cancelled');
    server.forge.check(1, 'build', 'success');
    server.forge.check(1, 'deploy/preview', 'failure', { text: 'no space left', kind: 'status' });
    expect(await look(null)).toMatchObject({
      pullRequest: { checks: { state: 'red', failing: [{ name: 'deploy/preview', text: 'no space left' }] } },
    });
  });

  it('goes through the queue where the base demands it', async () => {
    server.forge.rules.hasQueue = true;
    expect(await merge()).toMatchObject({ state: 'ok', pullRequest: { state: 'open', inQueue: true } });
    expect(await merge()).toMatchObject({ state: 'ok', pullRequest: { state: 'open', inQueue: true } });
    server.forge.runQueue();
    expect(await merge()).toMatchObject({ state: 'ok', pullRequest: { state: 'merged', inQueue: false } });
    server.forge.rules.approvals = 1;
    const { git } = server.forge;
    git.setBranch('gt/sh-2', git.commit(git.tip('main'), 'b.txt', 'two\n'));
    server.forge.open({ head: 'gt/sh-2', base: 'main', title: 'Add b' });
    const ref = { site: server.site, number: 2 };
    const expectedHead = server.forge.get(2).headSha;
    const answer = await port.merge({
      ref,
      expectedHead,
      expectedBase: 'main',
      style: 'merge',
      title: 'b',
      message: '',
    });
    expect(answer).toMatchObject({ state: 'refused', code: 'not_mergeable' });
  });
});

describe('GitLab alone', () => {
  it('tells a branch that must have its base first', async () => {
    const { server } = await bench('gitlab', seed.copy());
    try {
      server.forge.rules.styles = ['squash', 'rebase'];
      const { headSha } = server.forge.open({ head: HEAD, base: 'main', title: 'Add a' });
      server.forge.push('main', 'other.txt', 'x\n');
      const port = new TownForge({ secret: () => FAKE_TOKEN, nowMs: Date.now });
      const ref = { site: server.site, number: 1 };
      expect(await port.look(ref, null)).toMatchObject({ state: 'ok', pullRequest: { mergeable: 'behind' } });
      const request = {
        ref,
        expectedHead: headSha,
        expectedBase: 'main',
        style: 'rebase',
        title: 'a',
        message: '',
      } as const;
      expect(await port.merge(request)).toMatchObject({ state: 'refused', code: 'not_mergeable' });
      expect(await port.merge({ ...request, style: 'merge' })).toMatchObject({ state: 'refused', code: 'bad_style' });
    } finally {
      await server.close();
    }
  });
});
