import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { StartAgent } from '../../api/contract/runner.ts';
import { runnerPaths } from '../paths.ts';
import { marked, sweep } from '../process/sweep.ts';
import { sessionEnvironment } from './session.ts';

const town = `session-test-${String(process.pid)}`;

const REQUEST: StartAgent = {
  attempt: 'at-1',
  epoch: 1,
  agent: 'mayor/',
  rig: 'mayor',
  bead: 'MAYOR',
  sourceBead: 'MAYOR',
  kind: 'task',
  round: 0,
  runtime: 'command',
  model: null,
  title: 't',
  body: '',
  recipeBody: '',
  recipeAllowed: false,
  prompt: '',
  checkpoint: null,
  repo: null,
  fixedHead: null,
  claimBase: null,
  restoreFrom: null,
  branch: 'none',
  author: { name: 'a', email: 'a@example.com' },
  capability: 'c',
  env: {},
  startDeadlineMs: 1,
  wallClockMs: 1,
};

describe('a session of the town', () => {
  it('is found by the runner that started it, whatever its name, and by no other', async () => {
    const paths = runnerPaths('/tmp/none', '/tmp/none');
    const env = sessionEnvironment({ paths, town, runner: 'box' }, REQUEST);
    const child = spawn('sleep', ['300'], { env, detached: true, stdio: 'ignore' });
    const gone = once(child, 'exit');
    await once(child, 'spawn');
    expect(marked({ town, runner: 'local' })).toEqual([]);
    expect(marked({ town, runner: 'box' })).toEqual([child.pid]);
    expect(await sweep({ town, runner: 'box' }, 5_000)).toBe(1);
    expect((await gone)[1]).toBe('SIGKILL');
  });
});
