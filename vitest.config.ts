// One project a level of test; the levels and what belongs where are in CONTRIBUTING.md.
import { defineConfig } from 'vitest/config';

const seconds = 1000;

const project = (name: string, include: readonly string[], testTimeout = 10 * seconds) => ({
  test: {
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
          // These run on real time: once may be the fault of a machine that others use, twice is ours. The report names it.
          retry: 1,
        },
      },
    ],
  },
});
