/** A bead for a branch that the origin does not have, in a whole town with real git. */
import { describe, expect, it } from 'vitest';
import { until } from './cli-support.ts';
import { GT, oneRigTown, WAIT_MS } from './one-rig-town.ts';
import { spawnSync } from 'node:child_process';

const { town, json, gt } = oneRigTown();

interface Bead {
  readonly id: string;
  readonly hold: string | null;
  readonly hold_reason: string | null;
  readonly close_reason: string | null;
}
const BODY = '```gt-script\necho one >>a.txt\n```\n';
const show = (id: string): Bead => json<Bead>('bead', 'show', id);
const merged = (id: string): Promise<true> =>
  until(() => (show(id).close_reason === 'merged' ? true : null), `${id} is merged`, WAIT_MS);

describe('a bead whose target branch the origin lacks', () => {
  it(
    'waits for a person at once, stops nobody else, and runs when another branch was named',
    async () => {
      const { id } = json<Bead>(
        'bead',
        'create',
        'Typo',
        '--rig',
        'app',
        '--body',
        BODY,
        '--target-branch',
        'mian',
        '--sling',
      );
      const held = await until(() => (show(id).hold === 'needs_human' ? show(id) : null), 'a person is asked', WAIT_MS);
      expect(held.hold_reason).toContain('has no branch "mian"');
      expect(held.hold_reason).toContain(`gt bead update ${id} --target-branch <name>`);
      const other = json<Bead>('sling', 'Good', '--rig', 'app', '--body', BODY);
      await merged(other.id);
      const refused = spawnSync(GT, ['bead', 'update', id, '--target-branch', 'a b', '--town', town], {
        encoding: 'utf8',
      });
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain('"a b" is not a branch name');
      gt('bead', 'update', id, '--target-branch', 'main');
      gt('bead', 'retry', id);
      await merged(id);
    },
    WAIT_MS,
  );
});
