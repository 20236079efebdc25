/** Mail, nudges, questions, escalations and a handoff between a person and a real process, by the gt command alone. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { oneRigTown, WAIT_MS } from './one-rig-town.ts';

const { folder, at, gt, json } = oneRigTown();
const ledger = at('ledger');
writeFileSync(ledger, '');

async function until<T>(what: string, probe: () => T | undefined): Promise<T> {
  const untilMs = Date.now() + WAIT_MS;
  for (;;) {
    const value = probe();
    if (value !== undefined) return value;
    if (Date.now() > untilMs)
      throw new Error(`${what} did not happen; the agent wrote:\n${readFileSync(ledger, 'utf8')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
const wrote = (line: RegExp): string | undefined => line.exec(readFileSync(ledger, 'utf8'))?.[0];

const RECIPE = (path: string): string => `\`\`\`gt-script
exec 2>> ${path}.err
if [ "$GT_EPOCH" = 1 ]; then
  gt mail check | grep -q . && echo "mail too early" >> ${path}
  gt mail send human/ "Started" --body "On it."
  gt mail send app/polecats/ghost "Hello" || echo "unknown $?" >> ${path}
  gt escalate "The build needs a key" --severity high
  echo "answer $(gt wait "SQLite or PostgreSQL?" --timeout 60)" >> ${path}
  gt mail check >> ${path}
  gt mail check | grep -q . && echo "shown twice" >> ${path}
  gt handoff --subject "Second half" --body "Read notes.md"
  sleep 60
  echo "still here" >> ${path}
fi
gt prime | grep -o "Second half" >> ${path}
gt done --no-change "talked"
\`\`\`
`;

describe('a person and an agent', () => {
  it(
    'talk',
    async () => {
      writeFileSync(join(folder, 'body.md'), RECIPE(ledger));
      const bead = json<{ id: string }>('sling', 'talk', '--rig', 'app', '--body-file', join(folder, 'body.md'));
      const question = await until('the question', () =>
        json<{ attention: { subject: string; sentence: string }[] }>('status').attention.find((item) =>
          item.sentence.includes('SQLite or PostgreSQL?'),
        ),
      );
      const agent = question.subject;
      expect(json<{ items: { status: string }[] }>('agents').items).toMatchObject([{ id: agent, status: 'waiting' }]);
      const { items } = json<{ items: { id: string; from: string; subject: string }[] }>('mail', 'inbox');
      const started = items.find((item) => item.subject === 'Started');
      expect(started).toMatchObject({ from: agent });
      expect(gt('mail', 'read', started?.id ?? '')).toContain('On it.');
      const escalations = json<{ items: { severity: string; subject: string }[] }>('escalation', 'list');
      expect(escalations.items).toEqual(
        expect.arrayContaining([expect.objectContaining({ severity: 'high', subject: `bead:${bead.id}` })]),
      );
      expect(gt('nudge', agent, 'Mind the tests')).toContain('takes no words in mid-session');
      gt('mail', 'send', agent, 'SQLite');
      await until('the end', () =>
        json<{ status: string }>('bead', 'show', bead.id).status === 'closed' ? true : undefined,
      );
      const text = readFileSync(ledger, 'utf8');
      expect(text).toContain('unknown 4\n');
      expect(text).toContain('answer SQLite\n');
      expect(text).toContain('Mind the tests');
      expect(wrote(/Second half\n$/)).toBeDefined();
      for (const bad of ['mail too early', 'shown twice', 'still here']) expect(text).not.toContain(bad);
      const shown = json<{ attempt_list: { outcome: string; agent: string }[]; failures: number }>(
        'bead',
        'show',
        bead.id,
      );
      expect(shown).toMatchObject({ failures: 0, attempt_list: [{ outcome: 'evicted' }, { outcome: 'no_change' }] });
    },
    2 * WAIT_MS,
  );
});
