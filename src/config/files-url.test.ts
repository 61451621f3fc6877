import { describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { readFilesUrl } from './files-url.ts';

const s3 = {
  kind: 's3',
  endpoint: 'https://s3.eu-west-1.amazonaws.com',
  bucket: 'files',
  prefix: '',
  region: 'us-east-1',
  accessKeyId: 'AKID',
  secretAccessKey: 'secret',
};

test.each([
  ['s3://AKID:secret@s3.eu-west-1.amazonaws.com/files', s3],
  ['s3://AKID:secret@s3.eu-west-1.amazonaws.com/files/', s3],
  ['s3://AKID:secret@s3.eu-west-1.amazonaws.com/files?region=eu-west-1', { ...s3, region: 'eu-west-1' }],
  ['s3://AKID:secret@s3.eu-west-1.amazonaws.com/files/a/b.c', { ...s3, prefix: 'a/b.c' }],
  ['s3://AKID:a%2Fb%2Bc%40d%25@s3.eu-west-1.amazonaws.com/files', { ...s3, secretAccessKey: 'a/b+c@d%' }],
  ['s3://AKID:a+b@s3.eu-west-1.amazonaws.com/files', { ...s3, secretAccessKey: 'a+b' }],
  ['s3://AKID:secret@minio.local:9000/files?tls=off', { ...s3, endpoint: 'http://minio.local:9000' }],
  [
    's3://AKID:secret@[::1]:9000/files?tls=on&region=auto',
    { ...s3, endpoint: 'https://[::1]:9000', region: 'auto' },
  ],
  ['file:///var/lib/swarmgate/files', { kind: 'disk', directory: '/var/lib/swarmgate/files' }],
  ['file:/var/lib/my%20files', { kind: 'disk', directory: '/var/lib/my files' }],
  ['file://localhost/var/files', { kind: 'disk', directory: '/var/files' }],
])('%s is read', (text, config) => {
  expect(readFilesUrl(text)).toEqual(config);
});

describe('what cannot be used is refused in one line that shows no secret', () => {
  test.each([
    ['s3://AKID@host/bucket', 'without an access key and a secret'],
    ['s3://host/bucket', 'without an access key and a secret'],
    ['s3:AKID:hidden@host/bucket', 'without an access key and a secret'],
    ['s3://:hidden@host/bucket', 'without an access key and a secret'],
    ['s3://AKID:hidden%zz@host/bucket', 'without an access key and a secret'],
    ['s3://AKID:hidden/slash@host/bucket', 'no URL'],
    ['s3://AKID:123/hidden@host/bucket', 'without an access key and a secret'],
    ['s3://AKID:hidden@host', 'without a bucket'],
    ['s3://AKID:hidden@host/', 'without a bucket'],
    ['s3://AKID:hidden@host//bucket', 'without a bucket'],
    ['s3://AKID:hidden@host/b%2Fc', 'without a bucket'],
    ['s3://AKID:hidden@host/bucket/a%20b', 'prefix'],
    ['s3://AKID:hidden@host/bucket//a', 'prefix'],
    ['s3://AKID:hidden@host/bucket?regoin=eu-west-1', 'parameters'],
    ['s3://AKID:hidden@host/bucket?region=a&region=b', 'parameters'],
    ['s3://AKID:hidden@host/bucket?region=', 'region'],
    ['s3://AKID:hidden@host/bucket?tls=no', 'tls'],
    ['s3://AKID:hidden@host/bucket#x', '#'],
    ['https://AKID:hidden@host/bucket', '***'],
    ['file:data/files', 'file:'],
    ['file:///data?x=1', 'file:'],
    ['file://other-host/data', 'file:'],
    ['file:///a%2Fb', 'file:'],
    ['/var/files', '"/var/files"'],
    ['', '""'],
  ])('%s', (text, reason) => {
    let refused: unknown;
    try {
      readFilesUrl(text);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(ConfigError);
    const { message } = refused as ConfigError;
    expect(message).toMatch(/^FILES_URL holds .*; expected s3:\/\/ACCESS_KEY:SECRET@HOST/);
    expect(message).toContain(reason);
    expect(message).not.toMatch(/hidden|\n/);
  });
});
