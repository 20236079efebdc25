import { describe, expect, it } from 'vitest';
import { checkBranch } from './branch-name.ts';

describe('the name of a branch', () => {
  it.each(['main', 'gt/app-7k3qf', 'feature/ünïcode', 'v1.2', 'a-b_c', 'a@b'])('may be %s', (name) => {
    expect(checkBranch(name)).toBe(name);
  });

  it.each([
    '',
    '-f',
    '--upload-pack=x',
    'a..b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\',
    '/a',
    'a/',
    'a//b',
    'a.lock',
    'a.lock/b',
    '.a',
    'a/.b',
    'a.',
    '@',
    'a@{1}',
    'a\u0000',
    'a\n',
    'a\u007f',
  ])('may not be %j: git refuses it, or takes it for an option', (name) => {
    expect(() => checkBranch(name)).toThrow(/not a branch name/);
  });

  it('is named, cut to a line, with what to do and where it stood', () => {
    const refusal = (name: string, field?: string): unknown => {
      try {
        return checkBranch(name, field);
      } catch (error) {
        return error;
      }
    };
    expect(refusal('a b')).toMatchObject({
      code: 'bad_branch',
      message: '"a b" is not a branch name.',
      next: 'Use a name that "git check-ref-format --branch" accepts.',
      field: 'branch',
    });
    expect(refusal(` ${'x'.repeat(200)}`, 'target_branch')).toMatchObject({
      message: `" ${'x'.repeat(119)}" is not a branch name.`,
      field: 'target_branch',
    });
  });
});
