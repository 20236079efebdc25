import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    teardownTimeout: 30_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'test/*.test.ts',
            'test/flow/**/*.test.ts',
            'test/conformance/**/*.test.ts',
            'sim/**/*.test.ts',
          ],
          // Only tests that made a virtual town pay for it.
          setupFiles: ['test/support/replay-after-each.ts'],
          // A limit against hanging only: a property takes seconds alone, and ten times that on a busy machine.
          testTimeout: 60_000,
          // After a property, the hook runs the history of each of its towns again.
          hookTimeout: 60_000,
          // The default leaves one core free, which is half of a small machine.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real git and real processes: few at a time, so that a deadline in a test means something on two cores.
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
