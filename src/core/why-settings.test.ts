import { describe, expect, it } from 'vitest';
import { attempt, bead, NOW, rigView } from '../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import { rig, attentionOf, town } from '../../test/support/attention-builder.ts';
import { whyDaemon, whyRig, whyRunner } from './why-others.ts';

describe('an address with a password in it', () => {
  const config = rigConfig('api', { url: 'https://me:secret@git.example.com/api.git' });
  const said = {
    id: 'rig:api',
    state: 'ready',
    sentence:
      'The address of api has a password or token in it, which gastown.toml, each backup and each list of rigs show.',
    rule: 'settings',
    sinceMs: null,
    next: "A person gives it to git's credential helper, sets https://git.example.com/api.git, and has the host make a new one: copies have this one.",
    command: 'gt config set rigs.api.url <address>',
    wakeAtMs: null,
  };

  it('is what a rig is about while nothing waits for it', () => {
    expect(whyRig(rigView({ config }), 0, NOW)).toEqual(said);
    expect(whyRig(rigView({ config, attempts: [attempt(bead())] }), 1, NOW).rule).toBe('assign-work');
    expect(whyRig(rigView(), 0, NOW).sentence).toBe('api has nothing to do.');
    expect(whyRig(rigView(), 1, NOW).sentence).toBe('api works: 0 of 4 polecats are taken, 1 bead waits.');
  });

  it('needs a person, also in a rig that has nothing to do', () => {
    expect(attentionOf(town({ rigs: [rig({ config })] }), NOW)).toMatchObject([
      {
        kind: 'rig',
        severity: 'medium',
        subject: 'rig:api',
        title: null,
        sentence: said.sentence,
        command: said.command,
      },
    ]);
    expect(attentionOf(town({ rigs: [rig()] }), NOW)).toEqual([]);
  });

  it('of two rigs needs a person in each', () => {
    const rigs = ['api', 'web'].map((name) =>
      rig({ config: rigConfig(name, { url: config.url }) }, { name: rigConfig(name).name }),
    );
    expect(attentionOf(town({ rigs }), NOW).map(({ subject }) => subject)).toEqual(['rig:api', 'rig:web']);
  });
});

it('settings that are refused are what the daemon is about, whether it answers or not', () => {
  const refused = { message: 'A prefix never changes.', next: 'Set it back.', sinceMs: 300 };
  const said = {
    id: 'daemon',
    state: 'needs_human',
    sentence: 'The settings in gastown.toml are not in force: A prefix never changes. Set it back.',
    rule: 'settings',
    sinceMs: 300,
    next: 'A person corrects gastown.toml; then: gt daemon reload.',
    command: null,
    wakeAtMs: null,
  };
  expect([whyDaemon(true, refused), whyDaemon(false, refused)]).toEqual([said, said]);
});

it('a runner that does not start says how often it was tried, and why', () => {
  expect(whyRunner(null, { starts: 3, cause: 'no space left on device', sinceMs: 40 })).toEqual({
    id: 'runner',
    state: 'down',
    sentence: 'The runner beside the daemon does not start (tried 3 times in a row): no space left on device.',
    rule: 'watchdog',
    sinceMs: 40,
    next: 'A person mends the cause; the daemon tries again by itself, and what waits for it goes on then.',
    command: 'gt doctor',
    wakeAtMs: null,
  });
});
