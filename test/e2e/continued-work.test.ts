/** Commits of an agent that died count for its successor: with real processes and real git. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gitIn, oneRigTown, WAIT_MS } from './one-rig-town.ts';

/** The first session commits and crashes; the next finds nothing left to do and hands it in. */
const AGENT = `#!/bin/sh
if git log --format=%s | grep -q 'Half the work'; then
  gt done --summary "it was all there" --json
else
  echo work > work.txt
  git add work.txt
  git commit -qm 'Half the work'
  echo 'the model hung up'
  exit 7
fi
`;

const { at, origin, gt, json } = oneRigTown({
  rigOptions: (made) => ['--runtime', 'command', '--command', `sh ${made.at('agent.sh')}`],
});
writeFileSync(at('agent.sh'), AGENT);

describe('work of an agent that died', () => {
  it(
    'is handed in by its successor, and merged',
    async () => {
      const { id } = json<{ id: string }>('sling', 'do it', '--rig', 'app');
      const untilMs = Date.now() + WAIT_MS;
      let bead = { status: '', failures: 0, close_reason: '' };
      while (Date.now() < untilMs && bead.status !== 'closed') {
        bead = json<typeof bead>('bead', 'show', id);
        if (bead.failures === 1 && bead.status === 'open') gt('bead', 'retry', id);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(bead).toMatchObject({ status: 'closed', close_reason: 'merged' });
      expect(gitIn(origin, 'show', 'main:work.txt')).toBe('work\n');
    },
    WAIT_MS,
  );
});
