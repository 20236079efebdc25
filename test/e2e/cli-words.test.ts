import { afterAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../../src/cli/command-names.ts';
import { Place } from './cli-support.ts';

describe('help of gt, asked in every place', () => {
  const place = new Place();
  afterAll(() => {
    place.remove();
  });

  const words = COMMAND_NAMES.map(({ name }) => name.split(' '));
  const commands = new Set(words.filter((name) => name.length === 1).map(([first]) => first));
  const families = [...new Set(words.map(([first = '']) => first))].filter((first) => !commands.has(first));

  it('a word with several commands says what each does, and without --help that is an error', async () => {
    expect(families).toContain('bead');
    const one = async (family: string): Promise<void> => {
      const asked = await place.gt([family, '--help']);
      expect([family, asked.code, asked.err]).toEqual([family, 0, '']);
      for (const { name, summary } of COMMAND_NAMES.filter((entry) => entry.name.startsWith(`${family} `)))
        expect(asked.out).toMatch(new RegExp(`^  gt ${name} +${summary.replaceAll(/[()|?.]/g, '\\$&')}$`, 'm'));
    };
    await Promise.all(families.map(one));
    const asked = await place.gt(['help', 'bead']);
    expect(asked.out).toBe((await place.gt(['--town', 'x', 'bead', '-h'])).out);
    const bare = await place.gt(['bead']);
    expect([bare.code, bare.out]).toEqual([2, '']);
    expect(bare.err).toBe(`gt: "gt bead" needs one of its commands.\n\n${asked.out}`);
  });

  it('version takes the options that every command takes', async () => {
    expect((await place.gt(['version', '--help'])).out).toContain('Usage: gt version');
    for (const argv of [
      ['version', '--town', 'x'],
      ['--town', 'x', '--version'],
    ])
      expect(await place.gt(argv)).toMatchObject({ code: 0, out: expect.stringMatching(/^gt \d+\.\d+\.\d+ \(node /) });
  });
});
