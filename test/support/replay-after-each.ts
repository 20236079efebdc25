/** After each test: every history that a virtual town made must run again to the same state. */
import { afterEach } from 'vitest';
import { replayAll } from './replay-made.ts';

afterEach(() => {
  replayAll();
});
