import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_PULL } from '../../core/commands.ts';
import { TownError } from '../../core/errors.ts';
import { appendRigSection } from './config-edit.ts';
import { DEFAULT_MERGING, NO_CAPS } from '../../core/commands.ts';
import { NO_SHIELD } from '../../core/model/isolation.ts';
import { parseConfig } from './town-config.ts';
import { parseDurationMs } from '../../settings/duration.ts';
import { nearest } from '../../settings/nearest.ts';
import { createTown } from './town-create.ts';
import { townPaths } from './town-files.ts';

const paths = townPaths('/town');
const RIG = '[rigs.app]\nurl = "https://example.com/app.git"\nprefix = "app"\n';

const errorOf = (work: () => unknown): { code: string; next: string; message: string } => {
  try {
    work();
  } catch (error) {
    if (error instanceof TownError) return error.body();
    throw error;
  }
  return { code: 'none', next: '', message: '' };
};

describe('parseConfig', () => {
  it('has defaults for everything but the rigs', () => {
    expect(parseConfig('', paths, {})).toMatchObject({
      name: 'town',
      heartbeatIntervalMs: 60_000,
      logFile: '/town/daemon/daemon.log',
      pidFile: '/town/daemon/daemon.pid',
      rigs: [],
    });
  });

  it('reads a whole rig', () => {
    const source = `[town]\nname = "shop"\nowner_email = "me@example.com"\n${RIG}target_branch = "trunk"\npolecats_max = 2\nwall_clock = "90m"\ngates.test = { run = "npm test", timeout = "5m" }\ngates.lint = "npm run lint"\n`;
    expect(parseConfig(source, paths, {}).rigs).toEqual([
      {
        name: 'app',
        prefix: 'app',
        url: 'https://example.com/app.git',
        targetBranch: 'trunk',
        polecatsMax: 2,
        runtime: 'script',
        model: null,
        command: null,
        wallClockMs: 90 * 60_000,
        ownerEmail: 'me@example.com',
        parked: false,
        caps: NO_CAPS,
        shield: { ...NO_SHIELD, limits: { memoryBytes: 16 * 1024 ** 3, diskBytes: 32 * 1024 ** 3 } },
        merging: { ...DEFAULT_MERGING, strategy: 'direct', pull: DEFAULT_PULL },
        gates: [
          { name: 'test', run: 'npm test', timeoutMs: 300_000 },
          { name: 'lint', run: 'npm run lint', timeoutMs: 900_000 },
        ],
      },
    ]);
  });

  it('changes a runtime that is known part by part, and makes a new one', () => {
    const text = `${RIG}[runtimes.claude]\npermissions = "ask"\n[runtimes.claude.env]\nMINE = "1"\n[runtimes.mine]\nprogram = "mine"\n`;
    const { runtimes } = parseConfig(text, paths, {}).rigs[0] ?? {};
    expect(runtimes?.['claude']).toMatchObject({ program: 'claude', permissions: 'ask', resume: 'id' });
    expect(runtimes?.['claude']?.env).toMatchObject({ MINE: '1', DISABLE_AUTOUPDATER: '1' });
    expect(runtimes?.['mine']).toMatchObject({ protocol: 'acp', program: 'mine', passEnv: [], nudge: 'cancels' });
  });

  it.each([
    ['[runtimes.mine]\nargs = []\n', 'bad_config', 'runtimes.mine is new and needs a program'],
    ['[runtimes.script]\nprogram = "x"\n', 'bad_config', 'built in'],
    ['[runtimes.claude.env]\nGT_TOKEN = "x"\n', 'bad_config', 'GT_TOKEN'],
    ['[runtimes.claude]\nprogramm = "x"\n', 'unknown_setting', 'programm'],
  ])('refuses %j', (section, code, words) => {
    const error = errorOf(() => parseConfig(`${RIG}${section}`, paths, {}));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });

  it('environment wins over the rig, the rig over the town, the town over the default', () => {
    const rig = (source: string, env: NodeJS.ProcessEnv = {}) => parseConfig(source, paths, env).rigs[0];
    const both = `[defaults]\nruntime = "claude"\nmodel = "m1"\n${RIG}model = "m2"\n`;
    expect(rig(both)).toMatchObject({ runtime: 'claude', model: 'm2' });
    expect(rig(both, { GT_RUNTIME: 'codex', GT_MODEL: 'm3', GT_POLECATS_MAX: '7' })).toMatchObject({
      runtime: 'codex',
      model: 'm3',
      polecatsMax: 7,
    });
    expect(errorOf(() => rig(both, { GT_POLECATS_MAX: 'many' })).code).toBe('bad_config');
  });

  it('counts integers as nanoseconds, as the older JSON did', () => {
    expect(parseConfig('[daemon]\nheartbeat_interval = 60000000000\n', paths, {}).heartbeatIntervalMs).toBe(60_000);
    expect(parseConfig('[daemon]\nheartbeat_interval = "1m30s"\n', paths, {}).heartbeatIntervalMs).toBe(90_000);
  });

  it.each([
    ['[daemon]\nheartbeet_interval = "1s"', 'unknown_setting', 'Did you mean "heartbeat_interval"?'],
    ['[defualts]\nruntime = "x"', 'unknown_setting', 'Did you mean "defaults"?'],
    [`${RIG}target_brnch = "main"`, 'unknown_setting', 'Did you mean "target_branch"?'],
    [`${RIG}gates.test = { run = "x", timeuot = "5m" }`, '*', ''],
    ['[town', 'bad_config', 'Correct that line'],
    ['[rigs.app]\nurl = "x"', 'bad_config', ''],
    [RIG.replace('rigs.app', 'rigs.App'), 'bad_config', ''],
    [RIG.replace('"app"', '"gt"'), 'bad_config', ''],
    [RIG.replace('https://example.com/app.git', '--upload-pack=x'), 'bad_config', ''],
    [`${RIG}target_branch = "-x"`, 'bad_config', ''],
    [`${RIG}${RIG.replace('rigs.app', 'rigs.lib')}`, 'bad_config', 'prefix'],
    [`${RIG}polecats_max = -1`, 'bad_config', ''],
    ['[daemon]\nheartbeat_interval = "soon"', 'bad_duration', '60s'],
  ])('fails closed for %j', (source, code, next) => {
    const error = errorOf(() => parseConfig(source, paths, {}));
    if (code === '*') expect(error.code).not.toBe('none');
    else expect(error.code).toBe(code);
    expect(error.next).toContain(next);
  });
});

describe('what is said of a refused file', () => {
  const refused = (source: string) => errorOf(() => parseConfig(source, paths, {}));

  it('names the line, and a way out that is short', () => {
    expect(refused(`# a town\n${RIG}oops = 1\n`)).toMatchObject({
      message: `${paths.config} line 5: there is no setting "rigs.app.oops".`,
      next: 'docs/configuration.md lists the names that are known here. "gt config set rigs.app.oops --unset" takes it out.',
    });
    expect(refused('\n\n[oops]\na = 1\n').message).toContain('line 3: there is no setting "oops".');
    expect(refused(`oops.a = 1\n${RIG}`).message).toContain('line 1: there is no setting "oops".');
    expect(refused(`${RIG}gates.test = { run = "x", timeuot = "5m" }\n`).message).toContain('line 4:');
    expect(refused(`${RIG}\npolecats_max = "x"\n`).message).toContain('line 5: "rigs.app.polecats_max" is not valid');
    expect(refused('[town]\n[rigs.app]\nprefix = "app"\n').message).toContain('line 2: "rigs.app.url" is not valid');
  });
});

describe('a town on disk', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'gt-town-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it('gets rigs appended without losing what the person wrote', () => {
    const { town } = createTown({ root, name: 'shop "x"', ownerEmail: 'me@example.com', nowMs: 1 });
    const before = readFileSync(town.paths.config, 'utf8');
    const section = {
      name: 'app',
      url: '/a "b"',
      prefix: 'app',
      targetBranch: 'main',
      polecatsMax: 3,
      runtime: null,
      model: null,
      command: 'x "y"',
      gates: [{ name: 'test', run: 'echo "a b"', timeoutMs: 5_000 }],
    };
    appendRigSection(town.paths, section, {});
    const after = readFileSync(town.paths.config, 'utf8');
    expect(after.startsWith(before)).toBe(true);
    expect(parseConfig(after, town.paths, {})).toMatchObject({
      name: 'shop "x"',
      rigs: [{ url: '/a "b"', polecatsMax: 3, command: 'x "y"', gates: [{ run: 'echo "a b"', timeoutMs: 5_000 }] }],
    });
    expect(() => {
      appendRigSection(town.paths, section, {});
    }).toThrow();
    expect(readFileSync(town.paths.config, 'utf8')).toBe(after);
  });
});

describe('parseDurationMs', () => {
  it.each([
    ['60s', 60_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    [60_000_000_000, 60_000],
    ['60000000000', 60_000],
    ['0.5h', 1_800_000],
  ])('reads %j', (text, ms) => {
    expect(parseDurationMs(text, 'x')).toBe(ms);
  });
  it.each(['', '5', 'x', '5 s', '-5s', '5s5', '0s', '999999h', 0, -1])('refuses %j', (text) => {
    expect(() => parseDurationMs(text, 'x')).toThrow(TownError);
  });
});

describe('nearest', () => {
  it.each([
    ['staus', 'status'],
    ['biuld', null],
    ['sling', 'sling'],
    ['x', null],
    ['agnets', 'agents'],
  ])('%s → %s', (text, found) => {
    expect(nearest(text, ['status', 'sling', 'agents'])).toBe(found);
  });
});
