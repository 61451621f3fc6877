/** An answer of the API that says no, as Twilio words it. https://www.twilio.com/docs/api/errors */
export type Refusal = { kind: 'refused'; status: number; code: number; message: string };

const known = {
  20001: [400, 'Unknown parameters'],
  20003: [401, 'Authenticate'],
  20004: [405, 'Method not allowed'],
  20404: [404, 'The requested resource was not found'],
  20429: [429, 'Too Many Requests'],
  20500: [500, 'An internal server error has occurred'],
  21211: [400, "Invalid 'To' Phone Number"],
  21212: [400, "Invalid 'From' Phone Number"],
  21266: [400, "'To' and 'From' number cannot be the same"],
  21602: [400, 'Message body is required.'],
  21603: [400, "A 'From' or 'MessagingServiceSid' parameter is required to send a message"],
  21604: [400, "A 'To' phone number is required."],
  21606: [400, "The 'From' phone number provided is not a valid message-capable Twilio phone number"],
  21609: [400, 'The StatusCallback URL is not a valid URL.'],
  21610: [400, 'Attempt to send to unsubscribed recipient'],
  21611: [400, "This 'From' number has exceeded the maximum number of queued messages"],
  21617: [400, 'The concatenated message body exceeds the 1600 character limit.'],
  21620: [400, 'Invalid media URL(s)'],
  21623: [400, 'Number of media files exceeds allowed limit'],
  21655: [400, 'The ContentSid is Invalid'],
  21656: [400, 'The ContentVariables Parameter is invalid'],
  21659: [400, "The 'From' number is not a Twilio phone number"],
  21660: [400, "Mismatch between the 'From' number and the account"],
  21701: [400, 'The Messaging Service does not exist'],
  21703: [400, 'The Messaging Service does not have a phone number available'],
  21910: [400, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel"],
  63007: [400, 'Twilio could not find a Channel with the specified From address'],
  63016: [400, 'Failed to send freeform message because you are outside the allowed window'],
} as const satisfies Record<number, readonly [number, string]>;

export function refuse(code: keyof typeof known, detail?: string): Refusal {
  const [status, message] = known[code];
  return { kind: 'refused', status, code, message: detail ? `${message}: ${detail}` : message };
}

export function isRefusal(answer: object): answer is Refusal {
  return 'kind' in answer && answer.kind === 'refused';
}

/** The body of an answer that says no. */
export function describeRefusal({ status, code, message }: Refusal) {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
}
