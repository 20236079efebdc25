import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { describe, expect, it } from 'vitest';

import { marked, sweep } from './sweep.ts';

const town = `sweep-test-${String(process.pid)}`;
const start = (env: Record<string, string>): ReturnType<typeof spawn> =>
  spawn('sleep', ['300'], { env: { PATH: process.env['PATH'] ?? '', ...env }, detached: true, stdio: 'ignore' });

describe('sweep', () => {
  it('ends what carries the markers, and nothing else', async () => {
    const one = start({ GT_TOWN: town, GT_ATTEMPT: 'at-1' });
    const two = start({ GT_TOWN: town, GT_ATTEMPT: 'at-2' });
    const others = [
      start({ GT_TOWN: town }),
      start({ GT_TOWN: `${town}x`, GT_ATTEMPT: 'at-1' }),
      start({ GT_ATTEMPT: 'at-1' }),
    ];
    expect(new Set(marked({ town }))).toEqual(new Set([one.pid, two.pid]));
    const gone = once(one, 'exit');
    expect(await sweep({ town, attempt: 'at-1' }, 5_000)).toBe(1);
    expect((await gone)[1]).toBe('SIGKILL');
    expect(marked({ town })).toEqual([two.pid]);
    expect(await sweep({ town }, 5_000)).toBe(1);
    expect(await sweep({ town }, 5_000)).toBe(0);
    for (const other of others) {
      expect(other.exitCode === null && other.signalCode === null).toBe(true);
      other.kill();
    }
  });

  it('never ends this process, though it carries the markers itself', async () => {
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { sweep } from ${JSON.stringify(new URL('./sweep.ts', import.meta.url).href)}; console.log(await sweep({ town: '${town}' }, 2000));`,
      ],
      { env: { ...process.env, GT_TOWN: town, GT_ATTEMPT: 'at-me' }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    const [code] = await once(child, 'exit');
    expect({ code, out: out.trim() }).toEqual({ code: 0, out: '0' });
  });
});
