import { describe, expect, it } from 'vitest';
import { gateIsolation, isolationOf, type RigShield, sandboxOf } from '../core/model/isolation.ts';
import { parseSettings } from './settings.ts';

const RIG = '[rigs.app]\nurl = "https://example.com/app.git"\nprefix = "app"\n';

function shield(defaults: string, rig = ''): RigShield {
  const { rigs } = parseSettings(`[defaults]\n${defaults}\n${RIG}${rig}\n`, 'gastown.toml', {});
  const found = rigs[0]?.shield;
  if (found === undefined) throw new Error('no shield');
  return found;
}

describe('isolation of a rig', () => {
  it.each([
    ['', '', 'none', 'none'],
    ['isolation = "bubblewrap"', '', 'bubblewrap', 'bubblewrap'],
    ['isolation = "bubblewrap"', 'isolation = "none"', 'none', 'none'],
    ['isolation_per_runtime = { command = "bubblewrap" }', '', 'bubblewrap', 'none'],
    // What the town says for one runtime does not open what a rig has closed.
    ['isolation_per_runtime = { command = "none" }', 'isolation = "bubblewrap"', 'bubblewrap', 'bubblewrap'],
    ['isolation = "bubblewrap"', 'isolation_per_runtime = { script = "none" }', 'bubblewrap', 'none'],
  ])('town "%s" and rig "%s": command %s, script %s', (town, rig, command, script) => {
    const settings = shield(town, rig);
    expect(isolationOf(settings, 'command')).toBe(command);
    expect(isolationOf(settings, 'script')).toBe(script);
  });

  it('shuts gates in like the best protected agents, since they run what these wrote', () => {
    expect(gateIsolation(shield('isolation_per_runtime = { command = "bubblewrap" }'))).toBe('bubblewrap');
    expect(gateIsolation(shield('isolation = "bubblewrap"\nisolation_per_runtime = { script = "none" }'))).toBe(
      'bubblewrap',
    );
    expect(gateIsolation(shield(''))).toBe('none');
  });

  it('becomes an order with what is shown, and none where nothing is shut in', () => {
    const settings = shield('isolation = "bubblewrap"\nnetwork = "off"', 'isolation_write = ["~/.claude"]');
    expect(sandboxOf(settings, 'bubblewrap')).toEqual({
      sandbox: { kind: 'bubblewrap', network: 'off', command: null, image: null, read: [], write: ['~/.claude'] },
    });
    expect(sandboxOf(settings, 'none')).toEqual({});
  });

  it.each([
    ['isolation = "bubblewarp"', 'isolation'],
    ['isolation_per_runtime = { command = "docker" }', 'isolation_per_runtime'],
    ['isolation = "wrapper"', 'isolation_command'],
    ['isolation = "container"\nisolation_command = "podman run"', 'isolation_image'],
    ['isolation = "container"\nisolation_image = "i"\nisolation_command = "my-docker"', 'no word "run"'],
    ['isolation_read = ["relative/path"]', 'isolation_read'],
    ['isolation_read = ["/a\\u0000b"]', 'isolation_read'],
    ['network = "maybe"', 'network'],
    ['network = []', 'network'],
    ['network = ["https://api.example.com/"]', 'network'],
    ['network = ["*"]', 'network'],
    ['isolation = "wrapper"\nisolation_command = "w"\nnetwork = ["a.example"]', 'bubblewrap'],
    ['memory_max = "4"', 'memory_max'],
    ['memory_max = "-4GB"', 'memory_max'],
    ['disk_max = "1KB"', 'disk_max'],
    ['disk_max = 4', 'disk_max'],
  ])('fails closed for %s (T27)', (source, named) => {
    expect(() => shield(source)).toThrow(named);
  });
});

describe('the search for keys', () => {
  it('is on, with what is allowed; off only when that is said', () => {
    expect(shield('').secretsAllowed).toEqual([]);
    expect(shield('secrets_allowed = ["a/"]').secretsAllowed).toEqual(['a/']);
    expect(shield('secrets_allowed = ["a/"]', 'secrets_allowed = ["b"]').secretsAllowed).toEqual(['b']);
    expect(shield('secrets_scan = false', '').secretsAllowed).toBeNull();
    expect(shield('secrets_scan = false', 'secrets_scan = true').secretsAllowed).toEqual([]);
  });
});

describe('limits', () => {
  it.each([
    ['memory_max = "512MB"', 512 * 1024 ** 2],
    ['memory_max = "1.5 GiB"', 1.5 * 1024 ** 3],
    ['memory_max = "off"', null],
    ['', 16 * 1024 ** 3],
  ])('%s', (source, memoryBytes) => {
    expect(shield(source).limits).toEqual({ memoryBytes, diskBytes: 32 * 1024 ** 3 });
  });
});
