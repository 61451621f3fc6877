import { expect, test } from 'vitest';
import { signatureOf } from './signature-v4.ts';

// The examples of Amazon's paper, "Signature Calculations for the Authorization Header".
const example = {
  date: '20130524T000000Z',
  region: 'us-east-1',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const common = { host: 'examplebucket.s3.amazonaws.com', 'x-amz-date': example.date };
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test.each([
  [
    'GET an object',
    {
      method: 'GET',
      target: '/test.txt',
      headers: { ...common, range: 'bytes=0-9', 'x-amz-content-sha256': emptyHash },
      signedHeaders: ['host', 'range', 'x-amz-content-sha256', 'x-amz-date'],
    },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT an object',
    {
      method: 'PUT',
      target: '/test$file.text',
      headers: {
        ...common,
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      },
      signedHeaders: ['date', 'host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-storage-class'],
    },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'GET a bucket, with a query',
    {
      method: 'GET',
      target: '/?max-keys=2&prefix=J',
      headers: { ...common, 'x-amz-content-sha256': emptyHash },
      signedHeaders: ['host', 'x-amz-content-sha256', 'x-amz-date'],
    },
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])('the signature is that of the published example: %s', (_, request, signature) => {
  expect(signatureOf({ ...example, ...request })).toBe(signature);
});
