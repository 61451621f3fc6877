import type { AgentSettings } from './agent.ts';

/**
 * The bounds of a turn, unless the agent's settings say otherwise. The length of an answer has none of its own: servers
 * refuse a bound that does not fit into their context, and time bounds it anyway.
 */
export const agentDefaults = {
  historyTokensMax: 8_000,
  turnTimeoutMs: 120_000,
  idleTimeoutMs: 60_000,
} as const satisfies AgentSettings;
