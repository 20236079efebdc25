import { expect, it } from 'vitest';
import { exitRecord } from '../../../test/support/rig-view-builder.ts';
import { exitRecordSchema } from './exit-record.ts';

it('takes the end that a newer runner reports, with a trouble that nobody knows here', () => {
  const exit = exitRecord();
  expect(exitRecordSchema.parse({ ...exit, failed: 'program' }).failed).toBe('program');
  expect(exitRecordSchema.parse({ ...exit, failed: 'of a later version' })).toEqual({ ...exit, failed: undefined });
});
