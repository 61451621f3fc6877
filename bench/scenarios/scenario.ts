import type { Figure } from '../figures.ts';
import type { Servers } from '../servers.ts';

/** Something that is measured by itself. */
export type Scenario = {
  /** One line: what is done, and what stands beside it. */
  about: string;
  run(tools: ScenarioTools): Promise<Figure[]>;
};

export type ScenarioTools = {
  servers: Servers;
  /** 1; less for a trial, whose figures mean nothing. */
  scale: number;
};
