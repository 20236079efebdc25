import { describe, expect, it } from 'vitest';
import { attempt, bead, CLOSED_BREAKER, exitRecord, NOW, rigView } from '../../test/support/rig-view-builder.ts';
import { failedScope, isClosedToDispatch, isHalfOpen, isTripped, passedScopes, scopesAt } from './breaker-scope.ts';
import { breakerScope, pairScope, runnerScope, runtimeScope, scopeText } from './model/breaker.ts';

describe('a failure is charged to', () => {
  it.each([
    // What failed, runners that the rig knows, scope.
    ['program', 0, 'runtime:command'],
    ['program', 1, 'runtime:command'],
    ['program', 2, 'runtime:command@far'],
    ['repository', 1, 'dispatch'],
    ['repository', 2, 'dispatch'],
    ['branch', 2, 'dispatch'],
    ['isolation', 1, 'runtime:command'],
    ['isolation', 2, 'runtime:command@far'],
    ['machine', 0, 'dispatch'],
    ['machine', 1, 'dispatch'],
    ['machine', 2, 'runner:far'],
    [undefined, 1, 'dispatch'],
    [undefined, 2, 'runner:far'],
  ] as const)('%s, with %i runners: %s', (failed, runners, scope) => {
    const row = attempt(bead(), { runtime: 'command', runner: 'far', exit: exitRecord({ failed }) });
    expect(failedScope(row, runners)).toBe(scope);
  });

  it('the machine when nobody knows how it ended', () => {
    const row = attempt(bead(), { runner: 'far', exit: null });
    expect([1, 2].map((runners) => failedScope(row, runners))).toEqual(['dispatch', 'runner:far']);
  });
});

describe('a scope', () => {
  it('is passed by a process: its rig, its runtime, its runner, and the runtime there', () => {
    const all = ['dispatch', 'runtime:script', 'runner:local', 'runtime:script@local'];
    expect(passedScopes(attempt(bead()))).toEqual(all);
    expect(scopesAt(rigView(), bead(), 'local')).toEqual(all.slice(2));
    expect(scopesAt(rigView(), bead({ runtime: 'command' }), 'far')).toEqual(['runner:far', 'runtime:command@far']);
  });

  it.each(['dispatch', 'runtime:script', 'runtime:script@far', 'runner:far'])(
    'is read as it was written: %s',
    (scope) => {
      expect(breakerScope(scope)).toBe(scope);
    },
  );

  it('that nobody knows is the rig', () => {
    expect(breakerScope('planet:mars')).toBe('dispatch');
  });

  it('has a name for people', () => {
    expect(
      [breakerScope('dispatch'), runtimeScope('script'), runnerScope('far'), pairScope('script', 'far')].map((scope) =>
        scopeText(scope, 'api'),
      ),
    ).toEqual(['the rig api', 'the runtime script', 'the runner far', 'the runtime script on the runner far']);
  });
});

describe('a breaker', () => {
  it.each([
    [2, NOW + 1, [false, false, false]],
    [3, NOW + 1, [true, true, false]],
    [3, NOW, [true, false, true]],
    [2, NOW, [false, false, false]],
  ])(
    'with %i failures and its retry at %i is tripped, closed to dispatch, half-open: %j',
    (failures, retryAtMs, is) => {
      const breaker = { ...CLOSED_BREAKER, failures, retryAtMs };
      expect([isTripped(breaker), isClosedToDispatch(breaker, NOW), isHalfOpen(breaker, NOW)]).toEqual(is);
    },
  );
});
