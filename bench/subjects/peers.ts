import type { PeerPlan } from '../peers/peer.ts';
import { startProcess } from '../processes.ts';
import { botTokenOf, teamOf } from '../slack/events.ts';
import { type Subject, subjectOf } from './subject.ts';

export type PeerOptions = { tenants: number; apiUrl: string; redisUrl: string };

export const startBolt = (options: PeerOptions): Promise<Subject> =>
  startPeer('Bolt, nothing stored', 'bench/peers/bolt-echo.ts', '/slack/events', options);

export const startChatSdk = (options: PeerOptions): Promise<Subject> =>
  startPeer('Chat SDK on Redis', 'bench/peers/chat-sdk-echo.ts', '/', options);

async function startPeer(
  name: string,
  script: string,
  path: string,
  { tenants, apiUrl, redisUrl }: PeerOptions,
): Promise<Subject> {
  const installations = Array.from({ length: tenants }, (_, tenant) => ({
    teamId: teamOf(tenant),
    botToken: botTokenOf(tenant),
  }));
  const plan: PeerPlan = { apiUrl, redisUrl, installations };
  const process = await startProcess(script, [], { BENCH_PEER_PLAN: JSON.stringify(plan) });
  return subjectOf(name, path, [process]);
}
