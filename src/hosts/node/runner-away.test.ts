import { expect, it } from 'vitest';

import { trusted } from '../../core/model/ids.ts';
import { askRunner, runnerAway } from './runner-away.ts';
import { HttpRunnerClient } from './runner-client.ts';

it('says that a runner is away which has not opened its socket yet, and passes on what is no such thing', async () => {
  const client = new HttpRunnerClient({
    to: { socketPath: '/nowhere/runner.sock' },
    token: () => Promise.resolve('t'),
    instance: () => null,
  });
  const ask = askRunner('local', () => client.transcript(trusted.attempt('at-1'), 0));
  await expect(ask).rejects.toMatchObject({ kind: 'unreachable', code: 'runner_away' });
  const silent = AbortSignal.timeout(1);
  const wait = new Promise<never>((_, reject) => {
    silent.addEventListener('abort', () => {
      reject(silent.reason as Error);
    });
  });
  await expect(askRunner('local', () => wait)).rejects.toMatchObject({ code: 'runner_away' });
  const own = runnerAway('other');
  await expect(askRunner('local', () => Promise.reject(own))).rejects.toBe(own);
  const bug = new TypeError('a bug');
  await expect(askRunner('local', () => Promise.reject(bug))).rejects.toBe(bug);
  client.close();
});
