import type { OpenChannel } from '../gateway.ts';
import { settingsOf } from './channel.ts';

/** An own app's channel may be for all servers that no other one names. */
export function appAccount(own: OpenChannel | undefined): { kind: string; key: string }[] {
  const { applicationId } = own ? settingsOf(own) : {};
  return applicationId === undefined ? [] : [{ kind: 'application', key: applicationId }];
}
