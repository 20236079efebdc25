import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { diskOf } from './allowance.ts';

/** More than any `du` of a few files takes; the stand-in for a slow one sleeps for longer. */
const PATIENCE_MS = 20_000;

let folder: string;
const path = process.env['PATH'] ?? '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gt-disk-'));
  writeFileSync(join(folder, 'file'), Buffer.alloc(100_000, 1));
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

/** A `du` in the place of the machine's. */
function du(script: string): void {
  writeFileSync(join(folder, 'du'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env['PATH'] = `${folder}:${path}`;
}

describe('what an agent uses of the disk', () => {
  it('is counted, also where a folder vanished meanwhile', async () => {
    expect(await diskOf([folder], PATIENCE_MS)).toBeGreaterThanOrEqual(100_000);
    expect(await diskOf([folder, join(folder, 'gone')], PATIENCE_MS)).toBeGreaterThanOrEqual(100_000);
  });

  it('is unknown, and not what was printed so far, when it takes too long', async () => {
    du('echo "1\t/x"; exec sleep 60');
    expect(await diskOf([folder], 300)).toBeNull();
  });

  it('is unknown when nothing counts', async () => {
    du('exit 1');
    expect(await diskOf([folder], PATIENCE_MS)).toBeNull();
    process.env['PATH'] = join(folder, 'empty');
    expect(await diskOf([folder], PATIENCE_MS)).toBeNull();
  });
});
