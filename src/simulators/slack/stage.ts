import type { Approvals } from './approvals.ts';
import type { Faults } from './faults.ts';
import type { Installation, Installations } from './installations.ts';
import type { Interactivity } from './interactivity.ts';
import type { Judge } from './judge.ts';
import type { Limits } from './limits.ts';
import type { Sockets } from './socket-mode.ts';
import type { StoredFile } from './stored-file.ts';
import type { Message, World } from './world.ts';

/** What everything in the simulator works on. */
export type Stage = {
  world: World;
  installations: Installations;
  files: Map<string, StoredFile>;
  interactivity: Interactivity;
  approvals: Approvals;
  sockets: Sockets;
  judge: Judge;
  limits: Limits;
  faults: Faults;
  now: () => number;
  /** The next time stamp of a message. */
  timestamp: () => string;
  /** `http://127.0.0.1:1234`, without a slash. */
  url: () => string;
  /** After this a stream is closed by Slack. */
  streamLifetimeMs: number;
  /** Tells the apps of a workspace what a bot has done there, as Slack tells the bot itself. */
  announce: (change: BotChange) => void;
};

export type BotChange = { message: Message } & (
  | { kind: 'posted' }
  | { kind: 'changed'; before: Message }
  | { kind: 'deleted' }
);

/** An installation with the workspace that it acts in. */
export type Actor = { installation: Installation; teamId: string };
