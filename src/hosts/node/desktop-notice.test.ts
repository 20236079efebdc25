import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Notification } from '../../ports/notifier.ts';
import { showOnDesktop } from './desktop-notice.ts';
import { escalationConfig } from '../../settings/escalation-config.ts';
import { NodeNotifier } from './notifier.ts';

const notification: Notification = {
  key: 'notify:hq-esc-1:0:desktop',
  escalation: 'hq-esc-1',
  severity: 'critical',
  category: 'bead',
  rig: 'app',
  subject: 'app-1',
  message: '--help\n<b>$(touch /tmp/never)</b> & more\u0007',
  rises: 0,
  raisedAtMs: 0,
  next: 'gt escalation list',
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gt-desktop-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A program of this name that writes down what it was given. */
function program(name: string, more = ''): NodeJS.ProcessEnv {
  writeFileSync(join(folder, name), `#!/bin/sh\nprintf '%s\\n' "$@" > '${join(folder, 'seen')}'\n${more}\n`);
  chmodSync(join(folder, name), 0o755);
  return { PATH: `${folder}:/usr/bin:/bin` };
}
const seen = (): string[] => readFileSync(join(folder, 'seen'), 'utf8').trimEnd().split('\n');

describe('a desktop notice', () => {
  it('gives texts as arguments of their own, on one line, without markup', async () => {
    const env = program('notify-send');
    expect(await showOnDesktop('home', notification, env, 'linux')).toEqual({ state: 'sent' });
    expect(seen()).toEqual([
      '--urgency=critical',
      '--app-name=Gas Town',
      '--',
      'home: critical, app-1',
      '--help &lt;b&gt;$(touch /tmp/never)&lt;/b&gt; &amp; more',
    ]);
  });

  it('is shown by a script that takes the texts from outside on a Mac', async () => {
    const env = program('osascript');
    expect(await showOnDesktop('home', notification, env, 'darwin')).toEqual({ state: 'sent' });
    expect(seen().slice(-2)).toEqual(['home: critical, app-1', '--help <b>$(touch /tmp/never)</b> & more']);
  });

  it('has failed where nothing can show it, and is tried again when the desktop refuses', async () => {
    expect(await showOnDesktop('home', notification, { PATH: folder }, 'linux')).toEqual({
      state: 'failed',
      error: 'notify-send is not installed on this machine',
    });
    expect(await showOnDesktop('home', notification, {}, 'aix')).toMatchObject({ state: 'failed' });
    const env = program('notify-send', 'exit 1');
    expect(await showOnDesktop('home', notification, env, 'linux')).toMatchObject({ state: 'retry' });
  });

  it('is off until the town asks for it', async () => {
    const notifier = new NodeNotifier({ town: 'home', config: escalationConfig({}), env: program('notify-send') });
    expect(await notifier.send('desktop', notification)).toEqual({
      state: 'off',
      error: '[escalation] desktop is not set up',
    });
    notifier.configure(escalationConfig({ desktop: true }));
    if (process.platform === 'linux') expect(await notifier.send('desktop', notification)).toEqual({ state: 'sent' });
  });
});
