import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimerAlarm } from './alarm-timer.ts';
import { monotoneClock } from './clock.ts';
import { isLocked, takeLock } from './lock.ts';
import { formatLogLine, LogFile } from './log-file.ts';
import { silentLog } from '../../ports/log.ts';
import { RunnerSupervisor } from './runner-supervisor.ts';
import { chooseSocketDir } from './town-create.ts';
import type { Town, TownSecrets } from './town-files.ts';

describe('monotoneClock', () => {
  it('never goes back (T45)', () => {
    const times = [5, 7.9, 3, 8];
    const clock = monotoneClock(() => times.shift() ?? 0);
    expect([clock.now(), clock.now(), clock.now(), clock.now()]).toEqual([5, 7, 7, 8]);
  });
});

describe('TimerAlarm', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const make = () => {
    let fired = 0;
    const alarm = new TimerAlarm({ now: () => Date.now() }, () => {
      fired += 1;
    });
    return { alarm, fired: () => fired };
  };

  it('fires once, at its time; the last one set counts', () => {
    const { alarm, fired } = make();
    alarm.set(Date.now() + 100);
    alarm.set(Date.now() + 50);
    vi.advanceTimersByTime(49);
    expect(fired()).toBe(0);
    vi.advanceTimersByTime(1);
    expect([fired(), alarm.dueAtMs()]).toEqual([1, null]);
    vi.advanceTimersByTime(1_000);
    expect(fired()).toBe(1);
  });

  it('fires an overdue one at once, never inside set', () => {
    const { alarm, fired } = make();
    alarm.set(5);
    expect(fired()).toBe(0);
    vi.advanceTimersByTime(0);
    expect(fired()).toBe(1);
  });

  it('waits longer than a timer can', () => {
    const { alarm, fired } = make();
    const waitMs = 3 * 2 ** 31;
    alarm.set(Date.now() + waitMs);
    vi.advanceTimersByTime(waitMs - 1);
    expect(fired()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(fired()).toBe(1);
  });

  it('is silent once cleared or closed', () => {
    const { alarm, fired } = make();
    alarm.set(Date.now() + 10);
    alarm.set(null);
    alarm.set(Date.now() + 10);
    alarm.close();
    alarm.set(Date.now() + 10);
    vi.advanceTimersByTime(100);
    expect(fired()).toBe(0);
  });
});

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gt-host-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('a lock is held once, until it is released', () => {
    const path = join(folder, 'l');
    expect(isLocked(path)).toBe(false);
    const lock = takeLock(path);
    expect(lock).not.toBeNull();
    expect(isLocked(path)).toBe(true);
    expect(takeLock(path)).toBeNull();
    lock?.release();
    expect(isLocked(path)).toBe(false);
    takeLock(path)?.release();
  });

  it('a log rotates by size and keeps three', () => {
    const path = join(folder, 'd.log');
    const log = new LogFile({ path, bytesMax: 100 });
    for (let index = 0; index < 20; index += 1) log.info('a line of some length', { index });
    log.close();
    expect(readFileSync(path, 'utf8')).toContain('index=19');
    expect([1, 2, 3, 4].map((age) => existsSync(`${path}.${String(age)}`))).toEqual([true, true, true, false]);
  });

  it('a log line can not be forged by a value', () => {
    expect(
      formatLogLine({ level: 'info', text: 'x', fields: { a: 'b\nc', d: 'plain/1', e: null, f: undefined }, atMs: 0 }),
    ).toBe('1970-01-01T00:00:00.000Z info  x a="b\\nc" d=plain/1 e=null');
  });
});

describe('chooseSocketDir', () => {
  it('is short, and another one for each town', () => {
    const one = chooseSocketDir(`/${'deep/'.repeat(60)}town`, {});
    expect(one.length).toBeLessThan(78);
    expect(chooseSocketDir('/other', {})).not.toBe(one);
    expect(chooseSocketDir('/other', { XDG_RUNTIME_DIR: '/' })).toMatch(/^\/gt-[0-9a-f]{12}$/);
  });
});

describe('the supervisor of the runner', () => {
  it('tries again when no process can be made', async () => {
    const root = mkdtempSync(join(tmpdir(), 'gt-supervisor-'));
    const errors: string[] = [];
    const paths = { root, runnerLog: join(root, 'no-such-folder', 'runner.log') };
    const supervisor = new RunnerSupervisor({
      town: { paths, identity: { id: 'tw-test', name: 'test', socketDir: root } } as unknown as Town,
      secrets: { owner: 'o', brainCalls: 'b', runnerCalls: 'r', capabilityKey: 'k' } as TownSecrets,
      log: { ...silentLog, error: (text) => errors.push(text) },
      onInstance: () => undefined,
    });
    supervisor.start();
    await vi.waitFor(() => {
      expect(errors).toHaveLength(1);
    });
    // One start alone may have met the former runner, which was still ending.
    expect(supervisor.trouble()).toBeNull();
    await vi.waitFor(() => {
      expect(errors.length).toBeGreaterThan(1);
    });
    expect(supervisor.trouble()).toMatchObject({ starts: errors.length, cause: expect.stringContaining('ENOENT') });
    await supervisor.stop();
    supervisor.client.close();
    rmSync(root, { recursive: true, force: true });
    expect(new Set(errors)).toEqual(new Set(['runner not started']));
  });

  it('leaves no process behind that it started and never met', async () => {
    const root = mkdtempSync(join(tmpdir(), 'gt-supervisor-'));
    const pids: number[] = [];
    const supervisor = new RunnerSupervisor({
      town: {
        paths: { root, runnerLog: join(root, 'runner.log') },
        identity: { id: 'tw-test', name: 'test', socketDir: root },
      } as unknown as Town,
      secrets: { owner: 'o', brainCalls: 'b', runnerCalls: 'r', capabilityKey: 'k' } as TownSecrets,
      log: { ...silentLog, info: (_text, fields) => pids.push(Number(fields?.['pid'])) },
      onInstance: () => undefined,
    });
    supervisor.start();
    await vi.waitFor(() => {
      expect(pids).toHaveLength(1);
    });
    await supervisor.stop();
    supervisor.client.close();
    await vi.waitFor(() => {
      expect(() => process.kill(pids[0] ?? 0, 0)).toThrow('ESRCH');
    });
    // It had no time to end by itself for want of a town.
    expect(readFileSync(join(root, 'runner.log'), 'utf8')).toBe('');
    rmSync(root, { recursive: true, force: true });
  });
});
