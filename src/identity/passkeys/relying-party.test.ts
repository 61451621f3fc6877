import { expect, test } from 'vitest';
import { relyingPartyOf } from './relying-party.ts';

test.each([
  ['https://chat.example.com', { id: 'chat.example.com', origin: 'https://chat.example.com' }],
  ['https://chat.example.com:8443/base', { id: 'chat.example.com', origin: 'https://chat.example.com:8443' }],
  ['https://Bücher.example', { id: 'xn--bcher-kva.example', origin: 'https://xn--bcher-kva.example' }],
  ['http://localhost:3000', { id: 'localhost', origin: 'http://localhost:3000' }],
])('%s is a party that browsers make passkeys for', (publicUrl, party) => {
  expect(relyingPartyOf(publicUrl, 'Swarmgate')).toEqual({ ...party, name: 'Swarmgate' });
});

test.each([
  'http://chat.example.com',
  'https://192.0.2.7',
  'http://127.0.0.1:3000',
  'https://[2001:db8::7]:8443',
])('%s is none', (publicUrl) => {
  expect(relyingPartyOf(publicUrl, 'Swarmgate')).toBeUndefined();
});
