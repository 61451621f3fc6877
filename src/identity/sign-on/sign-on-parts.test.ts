import { expect, test } from 'vitest';
import { isOwnPage } from './sign-on-parts.ts';

test.each(['/', '/admin', '/admin/', '/admin/tenants/tnt_1?tab=members&page=2', '/docs'])(
  '%s is a page of ours',
  (path) => {
    expect(isOwnPage(path)).toBe(true);
  },
);

test.each([
  '',
  'admin',
  '//evil.example',
  '/\\evil.example',
  '/admin//evil.example',
  '/admin\\..\\..',
  '/admin/https://evil.example',
  'https://evil.example/admin',
  '/administrator',
  '/chat/v1/messages',
  '/admin?next=https://evil.example',
  '/admin#x',
  '/admin\n',
  '/admin\r\nlocation: https://evil.example',
  ' /admin',
  '/admin/\u0000',
  '/%2F/evil.example',
  `/admin/${'a'.repeat(500)}`,
])('%j is none', (path) => {
  expect(isOwnPage(path)).toBe(false);
});
