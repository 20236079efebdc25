import { describe, expect, it } from 'vitest';
import { conflict, notFound, precondition, TownError, usage } from './errors.ts';

describe('an error for the caller', () => {
  it('leaves the process as code, message, next step and field', () => {
    const error = usage('bad_prefix', 'Not a prefix.', 'Choose another.', 'prefix');
    expect(error).toMatchObject({ name: 'TownError', kind: 'usage' });
    expect(error.body()).toEqual({
      code: 'bad_prefix',
      message: 'Not a prefix.',
      next: 'Choose another.',
      field: 'prefix',
    });
  });

  it('keeps its cause, and has none of its own making', () => {
    const text = { message: 'No.', next: 'Wait.' };
    const cause = new Error('disk');
    expect(new TownError('internal', 'broken', text, { cause }).cause).toBe(cause);
    expect('cause' in new TownError('internal', 'broken', text)).toBe(false);
  });

  it('says its kind, on which exit codes and HTTP status depend', () => {
    for (const [make, kind] of [
      [conflict, 'conflict'],
      [precondition, 'precondition'],
    ] as const)
      expect(make('code', 'Message.', 'Next.')).toMatchObject({
        kind,
        code: 'code',
        message: 'Message.',
        next: 'Next.',
      });
  });

  it.each([
    ['bead', 'bead_not_found', 'gt bead list'],
    ['agent', 'agent_not_found', 'gt agents'],
    ['formula', 'formula_not_found', 'gt mol list'],
    ['merge request', 'merge_request_not_found', 'gt status'],
  ])('about a missing %s shows how to list what exists', (what, code, command) => {
    expect(notFound(what, 'x"y')).toMatchObject({
      kind: 'not_found',
      code,
      message: `There is no ${what} "x\\"y" in this town.`,
      next: `List what exists with "${command}".`,
    });
  });
});
