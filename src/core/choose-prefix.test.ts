import { describe, expect, it } from 'vitest';
import { choosePrefix } from './choose-prefix.ts';
import { TownError } from './errors.ts';

const refused = (work: () => unknown): TownError => {
  try {
    work();
  } catch (error) {
    if (error instanceof TownError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};
const refusal = (work: () => unknown): string => refused(work).code;

describe('the prefix of a new rig', () => {
  it('is made from the name, short, and another one when that is taken or reserved', () => {
    expect(choosePrefix('app', undefined, [])).toBe('app');
    expect(choosePrefix('web_frontend-2', undefined, [])).toBe('webfront');
    expect(choosePrefix('web_frontend', undefined, ['webfront'])).toBe('webfron2');
    expect(choosePrefix('app', undefined, ['app', 'app2', 'app3'])).toBe('app4');
    expect([choosePrefix('hq', undefined, []), choosePrefix('gt', undefined, [])]).toEqual(['hq2', 'gt2']);
  });

  it('is the one that was asked for, or refused', () => {
    expect(choosePrefix('app', 'a1', ['app'])).toBe('a1');
    expect(refused(() => choosePrefix('app', 'a1', ['a1']))).toMatchObject({
      code: 'prefix_taken',
      message: 'The prefix "a1" belongs to another rig.',
      next: 'Choose another with --prefix.',
    });
    expect(refusal(() => choosePrefix('app', 'hq', []))).toBe('reserved_prefix');
    expect(refusal(() => choosePrefix('app', 'A!', []))).toBe('bad_prefix');
  });

  it('is asked for when nine tries find none', () => {
    const taken = ['app', ...Array.from({ length: 8 }, (_, index) => `app${String(index + 2)}`)];
    expect(choosePrefix('app', undefined, taken.slice(0, -1))).toBe('app9');
    expect(refused(() => choosePrefix('app', undefined, taken))).toMatchObject({
      code: 'prefix_taken',
      message: 'No free prefix was found for "app".',
      next: 'Choose one with --prefix.',
    });
  });
});
