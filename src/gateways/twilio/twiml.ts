import type { WebhookReply } from '../gateway.ts';

/** TwiML that says nothing: answers go out by the REST API, when they are there. */
export const emptyAnswer: WebhookReply = {
  status: 200,
  contentType: 'text/xml',
  body: '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
};
