import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tableOf, type SettingValue } from '../../settings/change-text.ts';
import { settingChanges } from '../../settings/explain.ts';
import { changeSettings, dropSection } from './config-set.ts';
import { townPaths } from './town-files.ts';

const FILE = `# my town
[town]
name = "shop" # of mine

[rigs.app] # the first
url = "/r/app.git"
prefix = "app"
polecats_max = 2   # enough
gates.test = "npm test # not a comment"

# what the library needs
[rigs.lib]
url = "/r/lib.git"
prefix = "lib"
[rigs.lib.gates]
unit = { run = "make", timeout = "5m" }
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gt-config-'));
  writeFileSync(join(root, 'gastown.toml'), FILE);
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});
const text = (): string => readFileSync(join(root, 'gastown.toml'), 'utf8');
const set = (section: string, key: string, value: SettingValue | null): void => {
  changeSettings(townPaths(root), [{ section: section.split('.'), key, value }], {
    env: {},
    mustTake: () => undefined,
  });
};

describe('a setting', () => {
  it('is changed in its place, and the comment behind it stays', () => {
    set('rigs.app', 'polecats_max', 5);
    expect(text()).toBe(FILE.replace('polecats_max = 2   #', 'polecats_max = 5   #'));
  });

  it('is added behind the others of its section', () => {
    set('rigs.app', 'parked', true);
    expect(text()).toBe(FILE.replace('comment"\n', 'comment"\nparked = true\n'));
  });

  it('makes its section when there is none', () => {
    set('defaults', 'runtime', 'script');
    expect(text()).toBe(`${FILE}\n[defaults]\nruntime = "script"\n`);
  });

  it('that is a table is written on one line, and the comment behind it stays', () => {
    const gate = tableOf('{ run = "npm test", timeout = "5m" }');
    set('rigs.app.gates', 'hang', gate);
    set('rigs.lib.gates', 'unit', { run: 'make "all"', timeout: '1m' });
    set('rigs.app', 'polecats_per_runtime', tableOf('{ command = 2 }'));
    expect(text()).toContain('gates.hang = { run = "npm test", timeout = "5m" }\n');
    expect(text()).toContain('unit = { run = "make \\"all\\"", timeout = "1m" }\n');
    expect(text()).toContain('polecats_per_runtime = { command = 2 }\n');
    writeFileSync(join(root, 'gastown.toml'), FILE.replace('"5m" }', '"5m" } # slow'));
    set('rigs.lib.gates', 'unit', { run: 'make', timeout: '9m' });
    expect(text()).toBe(FILE.replace('"5m" }', '"9m" } # slow'));
  });

  it.each(['{ cd x; make; }', '{ run = "a"', 'run = "a"', '{}', '{ run = ["a"] }', '{ run = "a" }\nb = 1'])(
    'is no table when it says %j',
    (said) => {
      expect(tableOf(said)).toBeNull();
    },
  );

  it('may not name a runtime that is not there, but a file that has one can be changed', () => {
    const unknown = expect.objectContaining({ code: 'unknown_runtime' });
    expect(() => set('defaults', 'runtime', 'nosuch')).toThrow(unknown);
    expect(() => set('rigs.app', 'runtime', 'nosuch')).toThrow(unknown);
    expect(() => set('rigs.app', 'review_agent', 'nosuch')).toThrow(unknown);
    expect(() => set('defaults', 'review_agent', 'nosuch')).toThrow(unknown);
    expect(text()).toBe(FILE);
    writeFileSync(join(root, 'gastown.toml'), `${FILE}\n[defaults]\nruntime = "nosuch"\n`);
    set('rigs.app', 'polecats_max', 5);
    set('defaults', 'runtime', 'claude');
    expect(text()).toContain('runtime = "claude"');
  });

  it('may not leave the runtime "command" without a command, but a file that does can be changed', () => {
    const none = expect.objectContaining({ code: 'no_command' });
    expect(() => set('rigs.app', 'runtime', 'command')).toThrow(none);
    expect(() => set('defaults', 'runtime', 'command')).toThrow(none);
    expect(() => set('rigs.app', 'review_agent', 'command')).toThrow(none);
    expect(text()).toBe(FILE);
    set('rigs.app', 'command', 'agent --yes');
    set('rigs.app', 'runtime', 'command');
    expect(() => set('rigs.app', 'command', null)).toThrow(none);
    writeFileSync(
      join(root, 'gastown.toml'),
      FILE.replace('polecats_max = 2 ', 'runtime = "command"\npolecats_max = 2 '),
    );
    set('rigs.app', 'polecats_max', 5);
    expect(text()).toContain('polecats_max = 5');
  });

  it('is taken away', () => {
    set('rigs.app', 'polecats_max', null);
    expect(text()).toBe(FILE.replace('polecats_max = 2   # enough\n', ''));
    set('rigs.app', 'polecats_max', null);
    set('daemon', 'log_file', null);
    expect(text()).toBe(FILE.replace('polecats_max = 2   # enough\n', ''));
  });

  it('of a table in names with dots is changed, added and taken away there', () => {
    set('rigs.app.gates', 'test', 'make test');
    expect(text()).toBe(FILE.replace('"npm test # not a comment"', '"make test"'));
    set('rigs.app.gates', 'lint', 'make lint');
    expect(text()).toContain('gates.test = "make test"\ngates.lint = "make lint"\n');
    set('rigs.app.gates', 'test', null);
    set('rigs.app.gates', 'lint', null);
    expect(text()).toBe(FILE.replace('gates.test = "npm test # not a comment"\n', ''));
    set('rigs.lib.gates', 'unit', 'make unit');
    expect(text()).toContain('[rigs.lib.gates]\nunit = "make unit"\n');
  });

  it('may be a list', () => {
    set('rigs.app', 'isolation', 'bubblewrap');
    set('rigs.app', 'network', ['api.example.com', 'b.example.com:8443']);
    expect(text()).toContain('network = ["api.example.com","b.example.com:8443"]\n');
    set('rigs.app', 'network', ['c.example.com']);
    expect(text()).toContain('network = ["c.example.com"]\n');
  });

  it('that is not valid changes nothing', () => {
    for (const [section, key, value, code] of [
      ['rigs.app', 'polecats_max', -1, 'bad_config'],
      ['rigs.app', 'polecat', 1, 'unknown_setting'],
      ['rigs.web', 'parked', true, 'bad_config'],
    ] as const)
      expect(() => {
        set(section, key, value);
      }, key).toThrow(expect.objectContaining({ code }));
    expect(text()).toBe(FILE);
  });

  it('of a file that is refused may mend it, and nothing else', () => {
    const refused: [string, readonly string[], string][] = [
      [FILE.replace('prefix = "lib"\n', 'prefix = "lib"\noops = 1\n'), ['rigs', 'lib', 'oops'], FILE],
      [`oops = "x"\n${FILE}`, ['oops'], FILE],
    ];
    for (const [file, path, mended] of refused) {
      writeFileSync(join(root, 'gastown.toml'), file);
      expect(() => {
        set('rigs.app', 'parked', true);
      }).toThrow(expect.objectContaining({ code: 'unknown_setting' }));
      expect(text()).toBe(file);
      const [change] = settingChanges(file, [{ key: path.join('.'), value: null }]);
      expect(change).toEqual({ section: path.slice(0, -1), key: path.at(-1), value: null });
      if (change !== undefined) changeSettings(townPaths(root), [change], { env: {}, mustTake: () => undefined });
      expect(text()).toBe(mended);
    }
    writeFileSync(join(root, 'gastown.toml'), FILE.replace('polecats_max = 2', 'polecats_max = "two"'));
    set('rigs.app', 'polecats_max', 2);
    expect(text()).toBe(FILE);
    writeFileSync(join(root, 'gastown.toml'), '[town');
    expect(() => {
      set('town', 'name', null);
    }).toThrow(expect.objectContaining({ code: 'bad_config' }));
  });

  it('that nobody knows is refused by its name, and so is a rig that is not there', () => {
    const refusal = (key: string, value: SettingValue | null): unknown => {
      try {
        return settingChanges(FILE, [{ key, value }]);
      } catch (error) {
        return error;
      }
    };
    expect(refusal('rigs.app.oops', null)).toMatchObject({ kind: 'usage', code: 'unknown_setting' });
    expect(refusal('rigs.nope.parked', true)).toMatchObject({
      code: 'rig_not_found',
      message: 'There is no rig "nope", so nothing was changed.',
    });
    expect(refusal('mayor', null)).toMatchObject({
      next: expect.stringMatching(/^mayor is a section\. Known here: enabled,/),
    });
    expect(refusal('rigs', 1)).toMatchObject({ next: expect.stringContaining('[rigs.<name>]') });
    expect(refusal('runtime', 'x')).toMatchObject({
      next: 'The whole name is needed: defaults.runtime, mayor.runtime, rigs.<name>.runtime.',
    });
  });

  it('of a file that is written otherwise is refused, not damaged', () => {
    const inline = 'rigs = { app = { url = "/r", prefix = "app" } }\n';
    const several = '[rigs.app]\nurl = """\n/r"""\nprefix = "app"\n';
    for (const file of [inline, several]) {
      writeFileSync(join(root, 'gastown.toml'), file);
      expect(() => {
        set('rigs.app', 'url', '/x');
      }).toThrow(expect.objectContaining({ code: 'config_not_editable' }));
      expect(text()).toBe(file);
    }
  });
});

describe('a section', () => {
  it('goes with those below it', () => {
    dropSection(townPaths(root), ['rigs', 'lib'], {});
    expect(text().trimEnd()).toBe(FILE.slice(0, FILE.indexOf('[rigs.lib]')).trimEnd());
    dropSection(townPaths(root), ['rigs', 'lib'], {});
    dropSection(townPaths(root), ['rigs', 'app'], {});
    expect(text()).toContain('# of mine');
    expect(text()).not.toContain('rigs');
  });
});
