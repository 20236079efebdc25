import { expect, it } from 'vitest';
import { trusted } from '../../src/core/model/ids.ts';
import { human, HOUR, openTown, processOf, show, sling } from '../support/town-story.ts';

it('an agent that leaves while it waits for a person is not replaced until somebody answers (T07)', async () => {
  const town = await openTown();
  const bead = await sling(town, 'one');
  const { request } = processOf(town, bead);
  const agent = trusted.agent(request.agent);
  const { epoch } = request;
  const attempt = trusted.attempt(request.attempt);
  const capability = { town: 't', rig: trusted.rig('api'), agent, bead, attempt, epoch, verbs: [], expiresAtMs: 0 };
  await town.service.talk.wait(capability, { question: 'Which database?' }, 0);
  town.runner.exit(request.attempt);
  await town.advance(24 * HOUR);
  expect(town.runner.processes.size).toBe(1);
  const held = await show(town, bead);
  expect(held).toMatchObject({
    status: 'open',
    hold: 'needs_human',
    failures: 0,
    attemptList: [{ outcome: 'blocked' }],
  });
  expect(held.holdReason).toContain('Which database?');
  expect(await town.service.listEscalations(true)).toMatchObject([{ subject: `bead:${bead}` }]);

  const answer = { to: agent, kind: 'note', subject: 'The small one', body: '', replyTo: null } as const;
  await town.service.talk.sendMail(answer, human);
  await town.service.beadCommand({ type: 'retry', bead }, human);
  await town.settle();
  expect(processOf(town, bead).request.prompt).toContain('The small one');
  expect((await town.service.listEscalations(true)).length).toBe(0);
});
