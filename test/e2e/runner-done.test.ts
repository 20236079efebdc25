import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { StartAgent } from '../../src/api/contract/runner.ts';
import { type Answer, TestTown } from '../fixtures/runner/town.ts';

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

/** An agent that does `work` and then lives until it is stopped. */
async function working(work: string, part: Partial<StartAgent> = {}): Promise<StartAgent> {
  const start = town.commandRequest(`${work}\necho ready; while :; do sleep 0.05; done`, part);
  await town.post(start);
  await town.printed(start, 'ready');
  return start;
}
const done = (start: StartAgent, body: object = {}): Promise<Answer> =>
  town.call('POST', '/agent/done', body, start.capability);
const intentOf = (start: StartAgent): string => join(town.root, '.gastown', 'attempts', start.attempt, 'done.json');
const COMMIT = 'echo x > x.txt; git add -A; git commit -qm work';

describe('done', () => {
  it('with uncommitted files is refused with both choices, and commits them when asked', async () => {
    await town.start();
    const start = await working('echo x > x.txt');
    const refused = await done(start);
    expect(refused).toMatchObject({ status: 422, json: { error: { code: 'dirty_worktree' } } });
    expect(refused.json.error.message).toContain('x.txt');
    expect(refused.json.error.next).toContain('--commit');
    expect(existsSync(intentOf(start))).toBe(false);
    expect(await done(start, { commit: 'Add x' })).toMatchObject({ status: 200, json: { verdict: 'accepted' } });
    const fact = await town.fact('agent_done', start);
    expect(town.git(['log', '-1', '--format=%cn %s', fact.head], town.bare)).toBe(`${start.agent} Add x`);
  });

  it('is the only way for work to leave: a push to the origin by its name is refused, with the way', async () => {
    await town.start();
    const before = town.targetSha;
    const start = await working(`${COMMIT}; git push origin HEAD:main 2>&1; echo "pushed $?"`);
    const said = town.transcript(start);
    expect(said).toContain('gt done');
    expect(said).not.toContain('pushed 0');
    expect(town.targetSha).toBe(before);
    expect(await done(start)).toMatchObject({ status: 200, json: { verdict: 'accepted' } });
  });

  it('without commits is refused, and no-change needs a reason and a clean worktree (R10)', async () => {
    await town.start();
    const start = await working('true');
    expect((await done(start)).json).toMatchObject({
      error: { code: 'no_commits', next: expect.stringContaining('--no-change') },
    });
    expect((await done(start, { noChange: 'already fixed' })).status).toBe(200);
    expect(await town.fact('agent_no_change', start)).toMatchObject({ reason: 'already fixed' });
    const other = await working(COMMIT);
    expect((await done(other, { noChange: 'nothing' })).json).toMatchObject({ error: { code: 'work_exists' } });
  });

  it('finds commits on another branch, and takes them once it is checked out (T40)', async () => {
    await town.start();
    const start = await working(
      `git checkout -qb side; ${COMMIT}; git checkout -q --detach $GT_BASE_SHA; touch "$GT_STATE_DIR/off"`,
    );
    const refused = await done(start);
    expect(refused.json).toMatchObject({ error: { code: 'no_commits' } });
    expect(refused.json.error.message).toContain('side');
    const attached = await working(`git checkout -qb other; ${COMMIT}`);
    expect((await done(attached)).status).toBe(200);
    const orphan = await working(`git checkout -q --orphan new; ${COMMIT}`);
    expect((await done(orphan)).json).toMatchObject({ error: { code: 'not_descendant' } });
    await town.stop(start);
    await town.stop(attached);
    expect(town.git(['branch', '--list'], town.bare)).not.toMatch(/side|other/);
    const rescued = (await town.report(start)).exit?.rescueRef ?? '';
    expect(town.git(['log', '--format=%s', rescued, '--not', town.targetSha], town.bare)).toContain('work');
  });

  it('counts once, however often it is said', async () => {
    await town.start();
    town.brain.verdict = { verdict: 'pending', message: 'wait' };
    const start = await working(COMMIT);
    const answers = await Promise.all([
      done(start, { waitMs: 100 }),
      done(start, { waitMs: 100 }),
      done(start, { waitMs: 0 }),
    ]);
    expect(answers.map((answer) => answer.json.verdict)).toEqual(['pending', 'pending', 'pending']);
    town.brain.verdict = { verdict: 'accepted', message: 'ok' };
    expect((await done(start)).json.verdict).toBe('accepted');
    await town.stop(start);
    expect(town.brain.keys(start.attempt).filter((key) => key.startsWith('done:'))).toEqual([
      `done:${start.attempt}:1`,
    ]);
  });

  it('takes the words of the call over an older intent on disk', async () => {
    await town.start();
    const start = await working(`${COMMIT}; echo '{"summary":"old","at":1}' > "$GT_STATE_DIR/done.json"`);
    expect((await done(start, { summary: 'new' })).status).toBe(200);
    expect(await town.fact('agent_done', start)).toMatchObject({ summary: 'new' });
  });

  it('may be said again after the rig refused it', async () => {
    await town.start();
    const start = await working(COMMIT);
    town.brain.verdict = { verdict: 'refused', code: 'no', message: 'not yet' };
    expect((await done(start)).json).toMatchObject({ verdict: 'refused' });
    expect(existsSync(intentOf(start))).toBe(false);
    town.brain.verdict = { verdict: 'accepted', message: 'ok' };
    expect((await done(start)).json.verdict).toBe('accepted');
    expect(town.brain.keys(start.attempt)).toContain(`done:${start.attempt}:2`);
  });

  it('is pending while the brain is away, and delivered later', async () => {
    await town.start();
    const start = await working(COMMIT);
    await town.fact('agent_started', start);
    await town.brain.close();
    expect(await done(start, { waitMs: 300 })).toMatchObject({ status: 200, json: { verdict: 'pending' } });
    await town.brain.listen();
    await town.health();
    expect(await town.fact('agent_done', start)).toMatchObject({ attempt: start.attempt });
  });

  it('that was written down but not called counts at the exit', async () => {
    await town.start();
    const start = town.commandRequest(
      `${COMMIT}; echo '{"summary":"did it","at":1}' > "$GT_STATE_DIR/done.json"; exit 9`,
    );
    await town.post(start);
    expect(await town.fact('agent_done', start)).toMatchObject({ summary: 'did it', key: `done:${start.attempt}:1` });
    expect((await town.fact('agent_exited', start)).exit).toMatchObject({ exitCode: 9, doneIntent: true });
    expect(town.brain.keys(start.attempt).at(-1)).toBe(`exited:${start.attempt}`);
  });

  it('needs the token of a live attempt', async () => {
    await town.start();
    const start = await working('true');
    expect((await town.call('POST', '/agent/done', {}, null)).status).toBe(401);
    expect((await town.call('POST', '/agent/done', {}, 'forged')).json).toMatchObject({ error: { code: 'bad_token' } });
    expect(await done(start, { attempt: 'at-another' })).toMatchObject({
      status: 403,
      json: { error: { code: 'foreign_attempt' } },
    });
    await town.stop(start);
    expect(await done(start)).toMatchObject({ status: 409, json: { error: { code: 'superseded' } } });
    expect((await town.call('GET', '/health', undefined, start.capability)).status).toBe(401);
  });
});

describe('other calls of an agent', () => {
  it('go to the brain with its own token, and get a clear answer while it is away', async () => {
    await town.start();
    const start = await working('true');
    const answer = await town.call('POST', '/agent/checkpoint?x=1', { a: 1 }, start.capability);
    expect(answer.json).toEqual({ echoed: `/api/v1/towns/${town.id}/agent/checkpoint?x=1` });
    expect(town.brain.agentCalls[0]).toMatchObject({ authorization: `Bearer ${start.capability}`, body: '{"a":1}' });
    expect((await town.call('GET', '/agent/../runner/facts', undefined, start.capability)).status).toBe(401);
    for (const token of ['any', `${start.capability}x`])
      expect(await town.call('GET', '/agent/hook', undefined, token)).toMatchObject({
        status: 401,
        json: { error: { code: 'bad_token' } },
      });
    expect(town.brain.agentCalls).toHaveLength(1);
    await town.brain.close();
    expect(await town.call('GET', '/agent/hook', undefined, start.capability)).toMatchObject({
      status: 503,
      json: { error: { code: 'brain_away', next: expect.any(String) } },
    });
  });
});

describe('a recipe', () => {
  it('may fail, be missing, be forbidden, or say done by itself', async () => {
    await town.start();
    const failing = town.startRequest({ script: 'echo before; false; echo after' });
    const none = town.startRequest({ body: '```sh\ntrue\n```' });
    const forbidden = town.startRequest({ script: 'touch x', recipeAllowed: false });
    const nothing = town.startRequest({ script: 'true' });
    const itself = town.startRequest({
      script: `${COMMIT}; echo '{"summary":"own","at":2}' > "$GT_STATE_DIR/done.json"; exit 7`,
    });
    const all = [failing, none, forbidden, nothing, itself];
    for (const start of all) await town.post(start);
    const exits = [];
    for (const start of all) exits.push((await town.fact('agent_exited', start)).exit);
    expect(exits.map((exit) => exit.exitCode)).toEqual([1, 65, 77, 0, 0]);
    expect(exits.map((exit) => exit.doneIntent)).toEqual([false, false, false, false, true]);
    expect(town.transcript(failing)).toContain('before');
    expect(town.transcript(failing)).not.toContain('after');
    expect(town.transcript(nothing)).toContain(
      'done: There is no commit on top of the base, so there is nothing to hand in. If',
    );
    expect(await town.fact('agent_done', itself)).toMatchObject({ summary: 'own' });
  });
});

describe('facts', () => {
  it('are repeated when the answer is lost, and a refused one blocks no other', async () => {
    await town.start({ heartbeatMs: 50, doneWaitMs: 300 });
    town.brain.loseAnswers = true;
    const start = town.startRequest({ script: 'echo x > x' });
    town.brain.refusedKeys.add(`started:${start.attempt}`);
    await town.post(start);
    await town.fact('agent_exited', start);
    town.brain.loseAnswers = false;
    await town.health();
    const after = town.startRequest({ script: 'echo y > y' });
    await town.post(after);
    await town.fact('agent_exited', after);
    expect(town.brain.keys(start.attempt)).toEqual([`done:${start.attempt}:1`, `exited:${start.attempt}`]);
    expect(town.brain.deliveries.length).toBeGreaterThan(town.brain.recorded.length);
  });

  it('tell of activity at most once per heartbeat', async () => {
    await town.start({ heartbeatMs: 200 });
    const start = town.commandRequest(
      'for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.05; done; echo quiet; sleep 1',
    );
    await town.post(start);
    await town.fact('agent_exited', start);
    const events = town.brain.recorded.filter((fact) => fact.type === 'agent_event');
    expect(events.length).toBeGreaterThan(0);
    expect(events.length).toBeLessThanOrEqual(4);
  });
});
