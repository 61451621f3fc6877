import { describe, expect, test } from 'vitest';
import { isWithinService } from './within-service.ts';

const serviceUrl = 'https://smba.example/amer/';
const within = (address: string, service = serviceUrl) => isWithinService(new URL(address), service);

describe('an address belongs to the service', () => {
  test.each([
    'https://smba.example/amer/v3/attachments/0-eus-1/views/original',
    'https://smba.example:443/amer/v3/attachments/1?size=large#top',
    'https://SMBA.example/amer/v3/a%20picture.png',
    'https://smba.example/amer/x/../v3/attachments/1',
  ])('%s', (address) => {
    expect(within(address)).toBe(true);
    expect(within(address, 'https://smba.example/amer')).toBe(true);
    expect(within(address, 'https://smba.example/')).toBe(true);
  });
});

describe('an address is somebody else’s', () => {
  test.each([
    ['another host', 'https://evil.example/amer/v3/attachments/1'],
    ['a host that begins like it', 'https://smba.example.evil.example/amer/1'],
    ['a host that ends like it', 'https://xsmba.example/amer/1'],
    ['a host with a dot behind it', 'https://smba.example./amer/1'],
    ['another port', 'https://smba.example:8443/amer/1'],
    ['no TLS', 'http://smba.example/amer/1'],
    ['user info that looks like it', 'https://smba.example@evil.example/amer/1'],
    ['user info', 'https://ann@smba.example/amer/1'],
    ['a password', 'https://:secret@smba.example/amer/1'],
    ['another path', 'https://smba.example/emea/v3/attachments/1'],
    ['a path that begins like it', 'https://smba.example/americas/1'],
    ['the path itself, without anything below', 'https://smba.example/amer'],
    ['dots that lead out', 'https://smba.example/amer/../emea/1'],
    ['encoded dots that lead out', 'https://smba.example/amer/%2e%2E/emea/1'],
    ['backslashes that lead out', 'https://smba.example/amer/..\\emea/1'],
    ['an encoded slash', 'https://smba.example/amer/..%2Femea/1'],
    ['an encoded backslash', 'https://smba.example/amer/..%5cemea/1'],
    ['a slash that is encoded twice', 'https://smba.example/amer/..%252femea/1'],
    ['an encoded end of the text', 'https://smba.example/amer/1%00.png'],
  ])('%s', (_what, address) => {
    expect(within(address)).toBe(false);
  });

  test.each(['', 'smba.example/amer/', 'ftp://smba.example/amer/', 'https://bot@smba.example/amer/'])(
    'whatever it is, where the service is %j',
    (service) => {
      expect(within('https://smba.example/amer/1', service)).toBe(false);
    },
  );
});
