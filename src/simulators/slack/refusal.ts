import type { Json } from './json.ts';

/** What a method answers instead of doing anything: HTTP 200 with `ok: false`. */
export class SlackRefusal extends Error {
  override readonly name = 'SlackRefusal';
  /** Slack's own word for it: `channel_not_found`. */
  readonly error: string;
  /** What else the answer holds. */
  readonly details: Json;

  constructor(error: string, details: Json = {}) {
    super(error);
    this.error = error;
    this.details = details;
  }
}

/** The refusal of an argument, with Slack's pointer to what is wrong with it. */
export function refuseArgument(error: string, fault: string): SlackRefusal {
  return new SlackRefusal(error, { response_metadata: { messages: [`[ERROR] ${fault}`] } });
}
