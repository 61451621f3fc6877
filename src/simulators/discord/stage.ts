import type { Faults } from './faults.ts';
import type { Interactions } from './interactions.ts';
import type { Judge } from './judge.ts';
import type { Limits } from './limits.ts';
import type { Sockets } from './sockets.ts';
import type { World } from './world.ts';

/** What the parts of the stand-in share. */
export type Stage = {
  world: World;
  judge: Judge;
  limits: Limits;
  faults: Faults;
  sockets: Sockets;
  interactions: Interactions;
  codes: Map<string, { appId: string; guildId: string; redirectUri: string }>;
  files: Map<string, { bytes: Buffer; contentType: string }>;
  now: () => number;
  url: () => string;
  shards: number;
};
