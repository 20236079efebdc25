import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SettingValue } from '../../settings/change-text.ts';
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
