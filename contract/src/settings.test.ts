import { expect, test } from 'vitest';
import { settings, webChatLimits } from './settings.ts';
import { webChatDefaults } from './web-chat.ts';

test('limits are the tenant’s, then the organization’s, then the defaults', () => {
  expect(webChatLimits({}, {})).toEqual(webChatDefaults);
  const organization = { webchat: { messagesPerMinute: 5, textLengthMax: 100 } };
  expect(webChatLimits(organization, { webchat: { messagesPerMinute: 7 } })).toEqual({
    ...webChatDefaults,
    textLengthMax: 100,
    messagesPerMinute: 7,
  });
});

test.each([
  { webchat: { messagesPerMinute: 0 } },
  { webchat: { messagesPerMinute: 1.5 } },
  { webchat: { bodyBytesMax: 10_000_000 } },
  { webchat: { textLengthMax: Number.POSITIVE_INFINITY } },
  { webchat: { unknown: 1 } },
  { slack: {} },
])('%j are no settings', (value) => {
  expect(settings.safeParse(value).success).toBe(false);
});
