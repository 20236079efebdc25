import { usage } from './errors.ts';

/** What git allows in no name of a ref. */
export const FORBIDDEN_IN_REF: RegExp = /[\u0000-\u0020~^:?*[\\\u007f]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|\/$|\.$/;

/** Checks a branch name: git's own rules, and nothing that a command line could take for an option. Errors: `bad_branch`. */
export function checkBranch(text: string, field = 'branch'): string {
  if (text === '' || text === '@' || /^[-./]/.test(text) || FORBIDDEN_IN_REF.test(text)) {
    throw usage(
      'bad_branch',
      `${JSON.stringify(text.slice(0, 120))} is not a branch name.`,
      'Use a name that "git check-ref-format --branch" accepts.',
      field,
    );
  }
  return text;
}
