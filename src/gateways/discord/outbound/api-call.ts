import type { RawFile } from '@discordjs/rest';

/** One call of the REST API. */
export type DiscordCall = {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  route: `/${string}`;
  body?: object;
  query?: Readonly<Record<string, string>>;
  files?: readonly RawFile[];
  /** Answers of interactions: their token stands in the route, and no limit of the bot counts them. */
  byInteraction?: boolean;
};
