import { messageRequest } from '@swarmgate/contract/web-chat.ts';
import { expect, test } from 'vitest';
import { newUuid } from './uuid.ts';

test('ids are UUIDs of version 4 that the wire takes, and all different', () => {
  const ids = Array.from({ length: 500 }, newUuid);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(messageRequest.safeParse({ id, text: 'x' }).success).toBe(true);
  }
  expect(new Set(ids).size).toBe(500);
  // Every digit of the random part takes every value.
  expect(new Set(ids.map((id) => id.charAt(0))).size).toBe(16);
});
