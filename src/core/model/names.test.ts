import { expect, it } from 'vitest';
import { budgetRef, parseRef } from '../refs.ts';
import { attemptRef, branchName, mergingRef, rescueRef } from './agent.ts';
import { causeOf, isOutside, raised, ROUTES, SEVERITIES } from './escalation.ts';
import { rigSubject } from './health.ts';
import { trusted } from './ids.ts';

const bead = trusted.bead('api-7k3qf');

it('computes the names of branches and refs, so that a second try finds the first', () => {
  expect([branchName(bead), attemptRef(bead, 3), rescueRef(bead, trusted.attempt('at-1')), mergingRef(bead)]).toEqual([
    'gt/api-7k3qf',
    'refs/gt/attempts/api-7k3qf/3',
    'refs/gt/rescue/api-7k3qf/at-1',
    'refs/gt/merging/api-7k3qf',
  ]);
});

it('computes what the watchdog and timers know a thing by', () => {
  expect(rigSubject('api')).toBe('rig:api');
  expect(parseRef(budgetRef('town:usd:hard'))).toEqual({ kind: 'budget', id: 'town:usd:hard' });
});

it('raises a severity by one step, and the highest not at all', () => {
  expect(SEVERITIES.map(raised)).toEqual(['medium', 'high', 'critical', 'critical']);
});

it('leaves the town by what the host sends', () => {
  expect(ROUTES.filter(isOutside)).toEqual(ROUTES.slice(2));
  expect(['log', 'mayor'] as const).toEqual(ROUTES.slice(0, 2));
});

it('splits a cause at its first colon', () => {
  expect(causeOf('breaker:api:dispatch')).toEqual({ kind: 'breaker', id: 'api:dispatch' });
});
