import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { createNetworkLookup } from './network-lookup.ts';

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

const look = (resolver: Parameters<typeof createNetworkLookup>[0], family?: number) =>
  new Promise<{ error: Error | null; addresses: LookupAddress[] }>((resolve) =>
    createNetworkLookup(resolver)(
      'hooks.example',
      { all: true, ...(family !== undefined && { family }) },
      (error, addresses) => resolve({ error, addresses }),
    ),
  );

const both = { resolve4: async () => ['192.0.2.1'], resolve6: async () => ['2001:db8::1'] } as never;

test('every address of a name is found', async () => {
  const four = { address: '192.0.2.1', family: 4 };
  const six = { address: '2001:db8::1', family: 6 };
  expect(await look(both)).toEqual({ error: null, addresses: [four, six] });
  expect(await look(both, 4)).toEqual({ error: null, addresses: [four] });
  expect(await look(both, 6)).toEqual({ error: null, addresses: [six] });
});

test('a name of one family is a name all the same', async () => {
  const found = await look({ resolve4: async () => ['192.0.2.1'], resolve6: failing('ENODATA') } as never);
  expect(found).toMatchObject({ error: null, addresses: [{ family: 4 }] });
});

test('a name that nobody has is one error', async () => {
  const found = await look({ resolve4: failing('ENOTFOUND'), resolve6: failing('ENOTFOUND') } as never);
  expect(found).toMatchObject({ error: { code: 'ENOTFOUND' }, addresses: [] });
  const none = await look({ resolve4: async () => [], resolve6: async () => [] } as never);
  expect(none.error).toBeInstanceOf(Error);
});
