import { splitPassages } from '#agents/knowledge/split-passages.ts';
import { createAuditTrail } from '#audit/create-audit-trail.ts';
import type { Config } from '#config/config.ts';
import { sharedAppsOf } from '#config/shared-apps.ts';
import { keepMember } from '#identity/members/keep-member.ts';
import { apply } from '#tenancy/apply/apply.ts';
import { closeSimulatedChannel, openSimulatedChannel } from '#tenancy/simulated-channel.ts';
import { keepWebhooks } from '#webhooks/keep-webhooks.ts';
import type { Storage } from '../storage.ts';
import { operateApiKeys } from './api-keys.ts';
import { operateAudit } from './audit.ts';
import { operateDeadLetters } from './dead-letters.ts';
import { runDoctor } from './doctor.ts';
import type { HandOverRequest } from './hand-over.ts';
import { makeInstallLink } from './install-link.ts';
import { operateMembers } from './members.ts';
import { operateOrganizationMembers, operateOrganizations } from './organizations.ts';
import { operateTenants } from './tenants.ts';
import { operateUsers } from './users.ts';

/** What an operator asks for, done on open data: by the service itself, or by a command that has opened them. */
export function answerOperator(
  { config, storage, url }: { config: Config; storage: Storage; url: string },
  request: HandOverRequest,
): Promise<unknown> {
  switch (request.command) {
    case 'apply':
      return apply(
        {
          ...{ ...storage, splitPassages, sharedApps: sharedAppsOf(config) },
          keepMember: (member, how) =>
            keepMember({ scopes: storage.scopes, audit: createAuditTrail(storage) }, member, how),
          keepWebhooks: (tenantId, planned, how) =>
            keepWebhooks(
              { ...storage, trail: createAuditTrail(storage), allowedHosts: config.privateHosts },
              tenantId,
              planned,
              how,
            ),
        },
        request.plan,
        { dryRun: request.dryRun },
      );
    case 'doctor':
      return runDoctor(config, storage);
    case 'install-link':
      return makeInstallLink(storage, request, {
        publicUrl: config.publicUrl ?? url,
        platforms: config.platforms,
      });
    case 'open-simulation':
      return openSimulatedChannel(storage, request.simulated).then(({ key }) => ({ key, url }));
    case 'dead-letters':
      return operateDeadLetters(storage, request.wish);
    case 'api-keys':
      return operateApiKeys(storage, request.wish);
    case 'audit':
      return operateAudit(storage, request.wish);
    case 'users':
      return operateUsers(storage, request.wish);
    case 'members':
      return operateMembers(storage, request.wish);
    case 'tenants':
      return operateTenants(storage, request.wish, { graceMs: config.tenantGraceMs });
    case 'organizations':
      return operateOrganizations(storage, request.wish);
    case 'organization-members':
      return operateOrganizationMembers(storage, request.wish);
    case 'close-simulation':
      return closeSimulatedChannel(storage, request);
  }
}
