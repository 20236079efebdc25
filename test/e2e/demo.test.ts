/** The demo as a newcomer runs it: everything asserted from outside, in the two bare remotes and the kept files. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const GT = join(import.meta.dirname, '../../gt');
const DEMO_LIMIT_MS = 110_000;

interface DemoOutput {
  readonly convoy: {
    readonly status: string;
    readonly total_beads: number;
    readonly closed_beads: number;
    readonly beads: readonly { readonly id: string; readonly rig: string; readonly merge_sha: string }[];
  };
  readonly journal: Readonly<Record<string, number>>;
}

let folder = '';
let output: DemoOutput;

const git = (rig: string, ...args: readonly string[]): string =>
  execFileSync('git', ['--git-dir', join(folder, `${rig}.git`), ...args], { encoding: 'utf8' });
const file = (rig: string, path: string): string => git(rig, 'show', `main:${path}`);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gt-demo-test-'));
  output = JSON.parse(
    execFileSync(GT, ['demo', '--dir', folder, '--keep', '--json'], {
      encoding: 'utf8',
      timeout: DEMO_LIMIT_MS,
      env: { ...process.env, GT_CHECK: '1' },
    }),
  ) as DemoOutput;
}, DEMO_LIMIT_MS);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('gt demo', () => {
  it('lands a convoy of at least six beads over both rigs', () => {
    expect(output.convoy).toMatchObject({ status: 'landed', closed_beads: output.convoy.total_beads });
    expect(output.convoy.total_beads).toBeGreaterThanOrEqual(6);
    expect(new Set(output.convoy.beads.map((bead) => bead.rig))).toEqual(new Set(['calc', 'site']));
  });

  it('merged every bead exactly once', () => {
    for (const bead of output.convoy.beads) {
      const merges = git(
        bead.rig,
        'log',
        '--first-parent',
        '--format=%H %(trailers:key=Gt-Bead,valueonly,separator=)',
        'main',
      )
        .split('\n')
        .filter((line) => line.endsWith(` ${bead.id}`));
      expect(merges.map((line) => line.split(' ')[0])).toEqual([bead.merge_sha]);
    }
  });

  it('resolved a real conflict and kept both sides', () => {
    const exports = file('calc', 'src/index.js');
    expect(exports).toContain("export { subtract } from './subtract.js';");
    expect(exports).toContain("export { multiply } from './multiply.js';");
    expect(exports).not.toMatch(/^[<=>]{7}/m);
    expect(output.journal['conflicts resolved on the branch']).toBe(1);
  });

  it('turned a red gate into rework on the same branch', () => {
    expect(output.journal['red gates turned into rework']).toBe(1);
    expect(file('calc', 'src/divide.js')).toContain('division by zero');
    expect(git('calc', 'log', '--format=%s', 'main')).toContain('Refuse to divide by zero');
  });

  it('ran real tests as gates, red before the rework', () => {
    const folderOfLogs = join(folder, 'town/.gastown/transcripts');
    const gates = readdirSync(folderOfLogs)
      .filter((name) => name.startsWith('gate-'))
      .map((name) => readFileSync(join(folderOfLogs, name), 'utf8'));
    const passed = gates.filter((text) => /^(?:#|ℹ) fail 0$/m.test(text));
    const failed = gates.filter((text) => /^(?:#|ℹ) fail [1-9]/m.test(text));
    // Beads that stood in line together were tested together.
    expect(passed.length).toBeGreaterThan(0);
    // At least by itself and once more, before it was given back.
    expect(failed.length).toBeGreaterThanOrEqual(2);
    for (const text of failed) expect(text).toContain('divide');
  });

  it('held every invariant after every turn', () => {
    expect(readFileSync(join(folder, 'town/daemon/daemon.log'), 'utf8')).not.toContain('invariant violated');
  });

  it('leaves a result that passes its own tests and no process behind', () => {
    const clone = join(folder, 'look');
    execFileSync('git', ['clone', '-q', join(folder, 'calc.git'), clone]);
    execFileSync(process.execPath, ['--test'], { cwd: clone, stdio: 'pipe' });
    const town = (JSON.parse(readFileSync(join(folder, 'town/.gastown/town.json'), 'utf8')) as { id: string }).id;
    const left = readdirSync('/proc').filter(
      (pid) => /^\d+$/.test(pid) && environOf(pid).includes(`GT_TOWN=${town}\0`),
    );
    expect(left).toEqual([]);
  });
});

function environOf(pid: string): string {
  try {
    return `${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`;
  } catch {
    return '';
  }
}
