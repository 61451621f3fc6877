import { expect, test } from 'vitest';
import { readTwiml } from './twiml.ts';

test.each([
  '<Response/>',
  '<Response></Response>',
  '<?xml version="1.0" encoding="UTF-8"?>\n<Response></Response>\n',
])('an empty response is valid: %s', (body) => {
  expect(readTwiml('text/xml; charset=utf-8', body)).toEqual({ valid: true, messages: [] });
});

test('messages are read with their bodies and media', () => {
  const body =
    '<Response><!-- two --><Message>a &amp; &#98;</Message>' +
    '<Message to="+1"><Body><![CDATA[<c>]]></Body><Media>http://x/y</Media></Message></Response>';
  expect(readTwiml('application/xml', body)).toEqual({
    valid: true,
    messages: [
      { body: 'a & b', mediaUrls: [] },
      { body: '<c>', mediaUrls: ['http://x/y'] },
    ],
  });
});

test.each([
  ['text/html', '<Response/>'],
  ['application/json', '{}'],
  [undefined, '<Response/>'],
  ['text/xml', ''],
  ['text/xml', 'ok'],
  ['text/xml', '<response/>'],
  ['text/xml', '<Response>'],
  ['text/xml', '</Response>'],
  ['text/xml', '<Response></Respons>'],
  ['text/xml', '<Response/><Response/>'],
  ['text/xml', '<Response><Message>a & b</Message></Response>'],
  ['text/xml', '<Response><Message to=+1>a</Message></Response>'],
  ['text/xml', '<Response><Say>hello</Say></Response>'],
  ['text/xml', '<Response/>x'],
])('%s with %j is not', (contentType, body) => {
  expect(readTwiml(contentType, body)).toMatchObject({ valid: false });
});
