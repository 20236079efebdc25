/** Holds docs/configuration.md to the parser of gastown.toml and to the variables that the source names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TownError } from '../src/core/errors.ts';
import { parseConfig } from '../src/hosts/node/town-config.ts';
import { parseDurationMs } from '../src/settings/duration.ts';
import { CONFIG_KEYS } from '../src/settings/settings.ts';
import { townPaths } from '../src/hosts/node/town-files.ts';
import { readTree, root } from './tidy/tree.ts';

const doc = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
const paths = townPaths('/town');
const RIG = '[rigs.app]\nurl = "/src/app.git"\nprefix = "app"\n';

/** Cells of the first two columns of each row, by heading: ``| `key` | `default` |``. */
function rowsUnder(heading: string): ReadonlyMap<string, string> {
  const part = doc.split(/^## /m).find((section) => section.startsWith(heading)) ?? '';
  return new Map(
    [...part.matchAll(/^\| `(\w+)` \| `?([^|`]+?)`? \|/gm)].map((match) => [match[1] ?? '', match[2] ?? '']),
  );
}

/** The parser names the keys it knows when it meets one that resembles none; of many it names this page. */
function keysKnown(section: string): readonly string[] {
  try {
    parseConfig(`${section}\nqqqqqqqqqqqq = 1\n`, paths, {});
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    if (error.next.startsWith('docs/configuration.md lists'))
      return CONFIG_KEYS[section.startsWith('[defaults]') ? 'defaults' : 'rigs.*'] ?? [];
    return /^Known here: (.*?)\./.exec(error.next)?.[1]?.split(', ') ?? [error.next];
  }
  throw new Error('an unknown key was accepted');
}

describe('docs/configuration.md', () => {
  it('names every key of the file, and no other', () => {
    const both = [...rowsUnder('`[defaults]`').keys()];
    const rigOnly = [...rowsUnder('`[rigs.<name>]` only').keys()].filter((key) => key !== 'run' && key !== 'timeout');
    expect(keysKnown('').toSorted()).toEqual([
      'budgets',
      'daemon',
      'defaults',
      'escalation',
      'mayor',
      'prices',
      'rigs',
      'runtimes',
      'town',
    ]);
    expect([...rowsUnder('`[town]`').keys()].toSorted()).toEqual(keysKnown('[town]').toSorted());
    expect([...rowsUnder('`[daemon]`').keys()].toSorted()).toEqual(keysKnown('[daemon]').toSorted());
    expect(keysKnown('[escalation]').toSorted()).toEqual([...rowsUnder('`[escalation]`').keys(), 'email', 'webhook']);
    for (const section of [
      'escalation.webhook]\nurl = "https://example.org/"\nsecret = "env:HOOK"',
      'escalation.email]\nto = ["a@example.org"]\nfrom = "b@example.org"\nhost = "mail"',
    ]) {
      const keys = rowsUnder(`\`[${section.slice(0, section.indexOf(']') + 1)}\``).keys();
      expect([...keys].toSorted()).toEqual(keysKnown(`[${section}`).toSorted());
    }
    for (const [heading, section] of [
      ['`[budgets.<scope>]`', '[budgets.town]'],
      ['`[prices."<model>"]`', '[prices.m]\ninput = 1\noutput = 1'],
      ['`[runtimes.<name>]`', '[runtimes.claude]'],
    ] as const)
      expect([...rowsUnder(heading).keys()].toSorted()).toEqual(keysKnown(section).toSorted());
    expect([...rowsUnder('`[mayor]`').keys()].toSorted()).toEqual(keysKnown('[mayor]').toSorted());
    expect(both.toSorted()).toEqual(keysKnown('[defaults]').toSorted());
    expect([...both, ...rigOnly].toSorted()).toEqual(keysKnown(RIG).toSorted());
  });

  it('gives the defaults that hold', () => {
    const config = parseConfig(`${RIG}gates.test = "true"\n`, paths, {});
    const cell = (heading: string, key: string): string => rowsUnder(heading).get(key) ?? 'no such row';
    const ms = (heading: string, key: string): number => parseDurationMs(cell(heading, key), key);
    expect(config).toMatchObject({
      name: cell('`[town]`', 'name'),
      ownerEmail: cell('`[town]`', 'owner_email'),
      heartbeatIntervalMs: ms('`[daemon]`', 'heartbeat_interval'),
      logFile: join('/town', cell('`[daemon]`', 'log_file')),
      pidFile: join('/town', cell('`[daemon]`', 'pid_file')),
    });
    expect(config.rigs[0]).toMatchObject({
      polecatsMax: Number(cell('`[defaults]`', 'polecats_max')),
      runtime: cell('`[defaults]`', 'runtime'),
      model: null,
      command: null,
      wallClockMs: ms('`[defaults]`', 'wall_clock'),
      targetBranch: cell('`[rigs.<name>]` only', 'target_branch'),
      parked: cell('`[rigs.<name>]` only', 'parked') === 'true',
      ownerEmail: config.ownerEmail,
      gates: [{ timeoutMs: ms('`[rigs.<name>]` only', 'timeout') }],
    });
  });

  it('names every variable that the source names', () => {
    const used = readTree()
      .filter((file) => file.path === 'gt' || (file.path.startsWith('src/') && !file.path.endsWith('.test.ts')))
      .flatMap((file) => file.source.match(/\bGT_[A-Z_]*[A-Z]\b/g) ?? []);
    const named = new Set(doc.match(/\bGT_[A-Z_]*[A-Z]\b/g));
    expect([...new Set(used)].filter((name) => !named.has(name))).toEqual([]);
  });
});
