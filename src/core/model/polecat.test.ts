import { describe, expect, it } from 'vitest';
import { TownError } from '../errors.ts';
import { trusted } from './ids.ts';
import { isPolecatOf, parsePolecat, polecatOf } from './polecat.ts';

const app = trusted.rig('app');
/** What somebody gave as an agent, in the order of the finding; the last one is a name with the identity of a refinery. */
const NONE = [
  '../../x',
  'web/polecats/nux',
  'app/refinery',
  'app/refinery/x',
  'app/crew/joe',
  'mayor/',
  '<>',
  'Nux',
  '',
  '/',
  'app/nux',
];

describe('a polecat of a rig', () => {
  it('is meant by its identity, or by its name there', () => {
    expect(polecatOf(app, 'app/polecats/nux')).toBe('app/polecats/nux');
    expect(polecatOf(app, 'nux-2')).toBe('app/polecats/nux-2');
    expect(isPolecatOf(app, 'app/polecats/nux')).toBe(true);
    expect(isPolecatOf(app, 'nux')).toBe(false);
  });

  it.each(NONE)('is not meant by %j', (given) => {
    expect(polecatOf(app, given)).toBeNull();
    expect(isPolecatOf(app, given)).toBe(false);
    expect(() => parsePolecat(app, given)).toThrow(TownError);
  });

  it('is taken by its identity, or by its name there', () => {
    expect(parsePolecat(app, 'app/polecats/nux')).toBe('app/polecats/nux');
    expect(parsePolecat(app, 'nux-2')).toBe('app/polecats/nux-2');
  });

  it('is refused with the beginning of what was given, however long that is', () => {
    expect(() => parsePolecat(app, '<'.repeat(10_000))).toThrow(
      expect.objectContaining({ message: `"${'<'.repeat(80)}" is no polecat of the rig app.` }),
    );
  });

  it('is refused with what would do', () => {
    expect(() => parsePolecat(app, 'web/polecats/nux')).toThrow(
      expect.objectContaining({
        code: 'bad_agent',
        field: 'agent',
        message: '"web/polecats/nux" is no polecat of the rig app.',
        next: 'Agents: "gt agents". A new name like "nux" (lower-case letters, digits, "-") makes app/polecats/nux.',
      }),
    );
  });
});
