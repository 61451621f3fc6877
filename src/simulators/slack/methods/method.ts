import type { Arguments } from '../arguments.ts';
import type { App, Installation } from '../installations.ts';
import type { Json } from '../json.ts';
import type { Tier } from '../limits.ts';
import type { Stage } from '../stage.ts';

/** A method of the Web API: who may call it, how often, and what it does. */
export type Method = { tier: Tier; isFormOnly?: true } & (
  | {
      token: 'bot';
      /** The scope that it needs. */
      scope?: string;
      /** A limit of its own in place of the tier: seconds to wait. */
      limit?: (call: BotCall) => number | undefined;
      /** @throws {SlackRefusal} */
      run: (call: BotCall) => Json;
    }
  | { token: 'app'; run: (call: AppCall) => Json }
  | { token: 'none'; run: (call: OpenCall) => Json }
);

export type OpenCall = {
  stage: Stage;
  args: Arguments;
  /** Of HTTP Basic authentication. */
  basic: { user: string; password: string } | undefined;
};

export type AppCall = { stage: Stage; args: Arguments; app: App };

export type BotCall = AppCall & {
  installation: Installation;
  /** Records that a token was used for what is another's. */
  violation: (description: string) => void;
};
