/** Histories of words: mail, nudges, questions, lifecycle requests, the GUPP ladder, escalations that rise. */
import { TownError } from '../../src/core/errors.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { makeFormula } from '../../src/core/model/molecule.ts';
import type { Capability } from '../../src/core/queries.ts';
import type { MailDraft } from '../../src/core/model/mail.ts';
import { HOUR, MINUTE } from '../support/town-story.ts';
import type { History, Story } from './story.ts';

const draft = (to: string, subject: string): MailDraft => ({
  to,
  kind: 'note',
  subject,
  body: 'Read this.',
  replyTo: null,
});

const FORMULA = makeFormula('feature', [{ title: 'Test' }, { title: 'Code', needs: [] }]);

/** Asked again after it was done, an agent is told that it was replaced: for the agent that is the same answer. */
const handOff = (
  story: Story,
  agent: Capability,
  note: { readonly subject: string; readonly body: string },
): Promise<unknown> =>
  story.ask((service) =>
    service.talk.handoff(agent, note).catch((error: unknown) => {
      if (!(error instanceof TownError) || error.code !== 'superseded') throw error;
    }),
  );

export const TALK_HISTORIES: readonly History[] = [
  {
    name: 'a formula that two sessions follow',
    rigs: { api: {} },
    tell: async (story) => {
      const bead = await story.sling('one', { formula: FORMULA });
      const first = await story.capability('one');
      await story.ask((service) => service.talk.advance(first, { step: 1, status: 'done', summary: 'red' }));
      await handOff(story, first, { subject: 'half way', body: 'Code is next.' });
      await story.until('the next session', async () => {
        const { attemptList } = await story.virtual.service.getBead(bead);
        return attemptList.some((row) => row.endedAtMs === null && row.runningAtMs !== null && row.id !== first.attempt)
          ? true
          : null;
      });
      const second = await story.capability('one');
      await story.ask((service) => service.talk.advance(second, { step: 2, status: 'skipped', summary: 'is there' }));
      await story.finish('one');
      await story.ended(bead);
    },
  },
  {
    name: 'mail and nudges over two rigs',
    rigs: { api: {}, web: {} },
    tell: async (story) => {
      story.virtual.runner.takesWords = true;
      const first = await story.sling('one');
      const second = await story.sling('two', { rig: trusted.rig('web') });
      const nux = await story.capability('one');
      const other = await story.capability('two');
      await story.ask((service, caller) => service.talk.sendMail(draft(nux.agent, 'from a person'), caller));
      await story.ask((service) => service.talk.sendOwnMail(nux, draft(other.agent, 'between rigs')));
      await story.ask((service) => service.talk.sendOwnMail(nux, draft('human/', 'to people')));
      await story.ask((service, caller) =>
        service.talk.nudge({ agent: other.agent, text: 'Mind the tests', mode: 'immediate' }, caller),
      );
      await story.until('the mail to arrive', async () =>
        (await story.virtual.service.talk.ownMail(other, true)).length > 0 ? true : null,
      );
      const pending = `SELECT 1 AS one FROM nudges WHERE state = 'pending'`;
      await story.until('the word that it was told', () =>
        (story.virtual.databases.get('rig/web')?.inner.all(pending) ?? []).length === 0 ? true : null,
      );
      await story.finish('one');
      await story.finish('two');
      await story.ended(first);
      await story.ended(second);
    },
  },
  {
    name: 'a question to people, a hand-over and a shutdown',
    rigs: { api: {} },
    tell: async (story) => {
      const bead = await story.sling('one');
      const nux = await story.capability('one');
      await story.ask((service) => service.talk.wait(nux, { question: 'Which database?' }, 0));
      await story.ask((service, caller) => service.talk.sendMail(draft(nux.agent, 'The small one'), caller));
      await story.ask((service) => service.checkpoint(nux, '{"step":2}'));
      await story.ask((service) => service.talk.escalate(nux, { severity: 'high', message: 'I need a key' }));
      const waiting = `SELECT 1 AS one FROM outbox WHERE kind = 'notify' AND state = 'pending'`;
      await story.until('people to be told', () =>
        story.virtual.notified.length > 0 && story.virtual.databases.get('town')?.inner.all(waiting).length === 0
          ? true
          : null,
      );
      await handOff(story, nux, { subject: 'Tests are next', body: 'See notes.md' });
      const next = await story.until(
        'its next session',
        () => story.virtual.runner.running().find(({ request }) => request.attempt !== nux.attempt) ?? null,
      );
      const agent = trusted.agent(next.request.agent);
      await story.ask((service, caller) =>
        service.talk.lifecycle(
          { agent, action: 'shutdown', requestedBy: 'human/test', timestamp: null, note: '' },
          caller,
        ),
      );
      await story.until('held', async () =>
        (await story.virtual.service.getBead(bead)).hold === 'held' ? true : null,
      );
      await story.order({ type: 'release', bead });
      await story.finish('one');
      await story.ended(bead);
    },
  },
  {
    name: 'an agent that is silent until GUPP stops it',
    slow: true,
    rigs: { api: { wallClockMs: 24 * HOUR } },
    tell: async (story) => {
      const bead = await story.sling('one');
      const first = await story.running('one');
      const patienceMs = 150 * MINUTE;
      await story.until('GUPP to stop it', () => (first.state === 'exited' ? true : null), patienceMs);
      await story.finish('one');
      await story.ended(bead);
    },
  },
  {
    name: 'an escalation that nobody acknowledges',
    rigs: { api: {} },
    tell: async (story) => {
      const bead = await story.sling('one');
      for (const colour of ['red', 'green', 'blue', 'black', 'white']) await story.fail('one', `failed as ${colour}`);
      await story.ended(bead);
      const patienceMs = 5 * HOUR;
      const told = (): true | null => (story.virtual.notified.length > 0 ? true : null);
      await story.until('its first rise, and people to be told', told, patienceMs);
      await story.rest();
      const [item] = await story.virtual.service.listEscalations(true);
      if (item === undefined) throw new Error('the escalation is gone');
      await story.ask((service, caller) => service.commandEscalation(item.id, { type: 'ack' }, caller));
      await story.ask((service, caller) =>
        service.commandEscalation(item.id, { type: 'resolve', note: 'given up' }, caller),
      );
    },
  },
];
