import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fact } from '../../../api/contract/runner.ts';
import { FACTS_MAX } from '../../../api/contract/transfer.ts';
import type { TransferDoor } from '../../../api/handlers/transfer.ts';
import { exportTown } from './move.ts';

const folder = mkdtempSync(join(tmpdir(), 'gt-move-test-'));
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});

const HELD = {
  move: 'mv-1',
  town: { id: 'town-1', name: 'one' },
  settings: '',
  actors: [{ address: 'town', createdAtMs: 1, schema: { newest: 1, checksum: 'c' }, tables: ['beads'], counters: [] }],
};
const FACT: Fact = {
  type: 'agent_started',
  key: 'k',
  rig: 'app',
  attempt: 'at-1',
  epoch: 1,
  instance: 'i1',
  pid: 1,
  base: null,
  atMs: 1,
};

function source(read: () => unknown): { readonly door: TransferDoor; readonly steps: string[] } {
  const steps: string[] = [];
  const door: TransferDoor = (step) => {
    steps.push(step.step);
    return Promise.resolve(step.step === 'hold' ? HELD : read());
  };
  return { door, steps };
}
const never = (): never => {
  throw new Error('the disk is full');
};
const write = (path: string, door: TransferDoor, facts: readonly Fact[] = []) =>
  exportTown({ source: door, path, move: 'mv-1', nowMs: 1, facts });

describe('an export', () => {
  it.each(['none/x.town', '.'])('holds no town when it cannot be written: %s', async (name) => {
    const { door, steps } = source(never);
    await expect(write(join(folder, name), door)).rejects.toMatchObject({
      kind: 'precondition',
      code: 'export_unwritable',
      message: expect.stringContaining('Nothing was changed'),
    });
    expect(steps).toEqual([]);
  });

  it('holds no town whose facts no import could take', async () => {
    const { door, steps } = source(never);
    const facts = Array.from({ length: FACTS_MAX + 1 }, () => FACT);
    await expect(write(join(folder, 'x.town'), door, facts)).rejects.toMatchObject({ code: 'too_many_facts' });
    expect(steps).toEqual([]);
  });

  it('that is cut says that the town is held and what to do, and leaves no half file', async () => {
    const { door, steps } = source(never);
    await expect(write(join(folder, 'x.town'), door)).rejects.toMatchObject({
      code: 'export_cut',
      message: expect.stringMatching(/the disk is full\. The town is held/),
      next: expect.stringContaining('gt town resume --not-imported'),
    });
    expect(steps[0]).toBe('hold');
    expect(existsSync(folder)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });
});
