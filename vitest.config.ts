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
    include: ['{src,contract,web,tools,test/support}/**/*.test.{ts,tsx}'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
  };
  const architecture = folder('architecture', { testTimeout: 60_000 });
  const slow = { testTimeout: 60_000, hookTimeout: 60_000 };
  const backed = ['journeys', 'isolation', 'contracts', 'faults'].map((name) => folder(name, slow));
  const browser = {
    name: 'browser',
    include: ['test/browser/**/*.browser.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  };

  const chosen = mode === 'browser' ? [browser] : services ? backed : [unit, architecture, ...backed];
  return {
    test: {
      allowOnly: false,
      env: { TEST_BACKEND: services ? 'services' : 'embedded' },
      globalSetup: services ? ['test/support/services-are-up.ts'] : [],
      projects: chosen.map((test) => ({ extends: true as const, test })),
    },
  };
});

function folder(name: string, options: object) {
  return { name, include: [`test/${name}/**/*.test.ts`], ...options };
}
