/** Where a test keeps its data and its queue: `npm test` runs embedded, `npm run test:services` on real servers. */
export type TestBackend = 'embedded' | 'services';

/** The backend of this run. vitest.config.ts sets it, in the tests' own processes; a test file never chooses. */
export function testBackend(env: Readonly<Record<string, string | undefined>> = process.env): TestBackend {
  const backend = env['TEST_BACKEND'];
  if (backend === 'embedded' || backend === 'services') return backend;
  throw new Error(
    `TEST_BACKEND is ${backend ?? 'not set'}: start tests with npm test or npm run test:services`,
  );
}

/** The Postgres of `npm run test:services`; a test makes databases of its own there and removes them. */
export function testDatabaseUrl(): string {
  return process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
}

/** The Redis of `npm run test:services`; a test uses a prefix of its own there and removes it. */
export function testRedisUrl(): string {
  return process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';
}
