import { defineConfig } from 'vitest/config';

/**
 * Which tests run, by vitest's mode (the npm scripts choose it):
 *   (none)    everything that needs no outside service, on the embedded database and queue
 *   services  what touches a database or a queue, on the servers of TEST_DATABASE_URL and TEST_REDIS_URL
 *   browser   what a person sees, in headless Chromium
 */
export default defineConfig(({ mode }) => {
  const services = mode === 'services';

  const unit = {
    name: 'unit',
    include: ['{src,contract,web,tools,test/support,test/fakes,test/chaos}/**/*.test.{ts,tsx}'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
  };
  const architecture = {
    name: 'architecture',
    include: ['test/architecture/**/*.test.ts'],
    testTimeout: 60_000,
    // Looking at all imports is a hook's work.
    hookTimeout: 60_000,
  };
  // One project, so that the database that its tests copy is migrated once.
  const backed = {
    name: 'backed',
    include: ['test/{journeys,isolation,contracts,faults}/**/*.test.ts'],
    // What only one of the two can show says so in its name.
    exclude: [`test/**/*.${services ? 'embedded' : 'services'}.test.ts`],
    globalSetup: [
      ...(services ? ['test/support/services-are-up.ts'] : []),
      'test/support/migrated-template.ts',
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // They make what they need and take it away again, and keep nothing in modules. A process of its own for each file
    // would load the service and its database anew: twice the computing.
    isolate: false,
  };
  const browser = {
    name: 'browser',
    include: ['test/browser/**/*.browser.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  };

  const chosen = mode === 'browser' ? [browser] : services ? [backed] : [unit, architecture, backed];
  return {
    test: {
      allowOnly: false,
      // Most of these tests wait for a process or a timer: three files at a time on two cores take 0.75 of the time of two.
      maxWorkers: 3,
      env: { TEST_BACKEND: services ? 'services' : 'embedded' },
      projects: chosen.map((test) => ({ extends: true as const, test })),
    },
  };
});
