import { expect, it } from 'vitest';
import { exitRecordSchema } from './exit-record.ts';

const EXIT = {
  attempt: 'app-7k3qf.1',
  epoch: 1,
  exitCode: null,
  signal: null,
  cause: 'spawn_failed',
  lastLine: 'no',
  startedAtMs: null,
  endedAtMs: 5,
  head: null,
  base: null,
  ahead: null,
  dirty: false,
  rescueRef: null,
  doneIntent: false,
};

it('takes the end that a newer runner reports, with a trouble that nobody knows here', () => {
  expect(exitRecordSchema.parse({ ...EXIT, failed: 'program' }).failed).toBe('program');
  expect(exitRecordSchema.parse({ ...EXIT, failed: 'of a later version' })).toEqual({ ...EXIT, failed: undefined });
});
