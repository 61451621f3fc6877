import type { Json } from './world.ts';

/** A call of the REST API as it was made and answered. */
export type DiscordCall = {
  method: string;
  path: string;
  /** Whose token it was; `undefined`: nobody's. */
  appId: string | undefined;
  body: Json;
  status: number;
  atMs: number;
};

export type Judge = ReturnType<typeof createJudge>;

/** Keeps everything that was asked, and what must never happen. */
export function createJudge() {
  return {
    calls: [] as DiscordCall[],
    /** One's token used for what is another's, a second socket of a shard, a payload that Discord would not take, … */
    violations: [] as string[],
    /** Answers of 401, 403 and 429, which Discord counts against the address. */
    invalid: 0,
    rateLimited: 0,
  };
}
