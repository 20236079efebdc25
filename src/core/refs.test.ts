import { expect, it } from 'vitest';
import { trusted } from './model/ids.ts';
import { agentRef, attemptEntity, beadRef, convoyRef, parseRef, RESYNC, SCHEDULE, trainRef } from './refs.ts';

it.each([
  [beadRef(trusted.bead('api-7k3qf')), 'bead', 'api-7k3qf'],
  [attemptEntity(trusted.attempt('at-0')), 'attempt', 'at-0'],
  [agentRef(trusted.agent('api/polecats/nux')), 'agent', 'api/polecats/nux'],
  [trainRef('release/1:2'), 'train', 'release/1:2'],
  [convoyRef(trusted.convoy('hq-cv-7k3qf')), 'convoy', 'hq-cv-7k3qf'],
  [SCHEDULE, 'schedule', ''],
  [RESYNC, 'resync', ''],
  ['comet:1', 'unknown', '1'],
  ['', 'unknown', ''],
])('%s is about one entity', (ref, kind, id) => {
  expect(parseRef(ref)).toEqual({ kind, id });
});
