import type { Json } from './json.ts';

/** A call as it was made and answered. */
export type SlackCall = {
  method: string;
  /** Whose token it was; `undefined` for one that is unknown, or none. */
  appId: string | undefined;
  /** `undefined` for an app-level token and for one of a whole enterprise. */
  teamId: string | undefined;
  enterpriseId: string | undefined;
  /** Without the token. */
  arguments: Json;
  /** 0: the connection was closed without an answer. */
  status: number;
  answer: Json;
  /** The fault that was ordered for it. */
  fault: string | undefined;
  atMs: number;
};

/** Something that must never happen: one's token used for what is another's. */
export type Violation = {
  method: string;
  appId: string;
  teamId: string | undefined;
  description: string;
};

/** What only one person sees. */
export type Ephemeral = {
  teamId: string;
  channel: string;
  user: string;
  ts: string;
  threadTs: string | undefined;
  text: string;
  blocks: Json[] | undefined;
};

/** What an assistant shows in a thread. */
export type AssistantThread = {
  teamId: string;
  channel: string;
  threadTs: string;
  status: string;
  /** Each status that was set, with the empty one that takes it away. */
  statuses: string[];
  title: string | undefined;
  prompts: { title: string; message: string }[];
};

/** A modal that was opened or a home that was published. */
export type SeenView = {
  id: string;
  kind: 'modal' | 'home';
  appId: string;
  teamId: string;
  user: string;
  view: Json;
};

export type Judge = ReturnType<typeof createJudge>;

/** Keeps everything that was asked of the simulator and what it showed to people. */
export function createJudge() {
  return {
    calls: [] as SlackCall[],
    violations: [] as Violation[],
    ephemerals: [] as Ephemeral[],
    assistantThreads: [] as AssistantThread[],
    views: [] as SeenView[],
    /** Calls over a limit; those of an ordered fault are not among them. */
    rateLimited: 0,
  };
}
