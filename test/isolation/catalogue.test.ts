import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aDatabase, type TestDatabase } from '../support/a-database.ts';
import { findHoles } from './find-holes.ts';
import { plants } from './planted-holes.ts';

let database: TestDatabase;
const atEnd: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await aDatabase((end) => void atEnd.push(end));
});
afterAll(async () => {
  for (const end of atEnd) await end();
});

describe('the catalogue shows no way around row-level security', () => {
  test('to the owner', async () => {
    expect(await database.asOwner(findHoles)).toEqual([]);
  });

  test('to the service', async () => {
    await database.asService(async (client) => {
      const { rows } = await client.query('SELECT current_user AS name');
      expect(rows).toEqual([{ name: 'swarmgate_service' }]);
      expect(await findHoles(client)).toEqual([]);
    });
  });
});

describe('the catalogue test finds', () => {
  test.each(plants)('$what', async ({ sql, holes }) => {
    await database.asOwner(async (client) => {
      await client.query('BEGIN');
      try {
        await client.query(sql);
        expect(await findHoles(client)).toEqual([...holes].sort());
      } finally {
        await client.query('ROLLBACK');
      }
    });
  });
});
