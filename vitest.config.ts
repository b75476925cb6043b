// One project a level of test; the levels and what belongs where are in CONTRIBUTING.md.
import { defineConfig } from 'vitest/config';

const seconds = 1000;

/**
 * Tests that run programs or use sockets meet the clock of a machine that others use: where a change is judged, once may
 * be that machine's fault. The report names what needed a second try; at a desk nothing gets one.
 */
const retry = process.env['CI'] === 'true' ? 1 : 0;

const project = (name: string, include: readonly string[], testTimeout = 30 * seconds) => ({
  test: {
    retry,
    name,
    include: [...include],
    setupFiles: ['test/support/fixed-seed.ts'],
    testTimeout,
    hookTimeout: testTimeout,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', ['packages/*/test/**/*.test.ts']),
      project('property', ['packages/*/test/**/*.property.ts'], 120 * seconds),
      project('contract', ['packages/*/contract/**/*.test.ts'], 60 * seconds),
      project('transcripts', ['test/transcripts/**/*.test.ts'], 60 * seconds),
      project('simulation', ['test/simulation/**/*.test.ts'], 120 * seconds),
      project('conformance', ['test/conformance/**/*.test.ts'], 300 * seconds),
      project('terminal', ['test/terminal/**/*.test.ts'], 120 * seconds),
      project('tidy', ['test/tidy/**/*.test.ts'], 60 * seconds),
      {
        test: {
          name: 'netns',
          include: ['test/netns/**/*.test.ts'],
          testTimeout: 180 * seconds,
          hookTimeout: 120 * seconds,
          fileParallelism: false,
          // At a desk too, and one more than the others: all of these run on real time, some on kernels of their own.
          retry: retry + 1,
        },
      },
    ],
  },
});
