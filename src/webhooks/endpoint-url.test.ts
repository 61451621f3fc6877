import { expect, test } from 'vitest';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import { checkEndpointUrl } from './endpoint-url.ts';

const isTaken = (url: string, allowedHosts: string[] = []) => {
  try {
    checkEndpointUrl(url, allowedHosts);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(ForbiddenUrlError);
    return false;
  }
};

test.each(['https://hooks.example/', 'https://hooks.example:8443/a?b=c', 'https://8.8.8.8/'])(
  '%s is taken',
  (url) => expect(isTaken(url)).toBe(true),
);

test.each([
  'http://hooks.example/',
  'https://localhost/',
  'https://a.localhost/',
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://192.168.0.1/',
  'https://user@hooks.example/',
  'file:///etc/passwd',
  'hooks.example',
])('%s is not', (url) => expect(isTaken(url)).toBe(false));

test('plain http is for this machine alone, and only where it was opened', () => {
  for (const host of ['localhost:9000', '127.0.0.1:9000', '[::1]:9000']) {
    expect(isTaken(`http://${host}/`, [host])).toBe(true);
    expect(isTaken(`https://${host}/`, [host])).toBe(true);
    expect(isTaken(`http://${host}/`, ['localhost:9001'])).toBe(false);
  }
  expect(isTaken('http://billing.internal/', ['billing.internal'])).toBe(false);
  expect(isTaken('https://billing.internal/', ['billing.internal'])).toBe(true);
});
