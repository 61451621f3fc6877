import type { AddressInfo } from 'node:net';

/** What a peer's process is told, as its one argument in JSON. */
export type PeerPlan = {
  apiUrl: string;
  redisUrl: string;
  installations: { teamId: string; botToken: string }[];
};

export function peerPlan(): PeerPlan {
  return JSON.parse(process.env['BENCH_PEER_PLAN'] ?? '') as PeerPlan;
}

export function tellReady(address: AddressInfo | string | null): void {
  console.log(JSON.stringify({ port: (address as AddressInfo).port }));
}
