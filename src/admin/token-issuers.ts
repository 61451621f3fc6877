import type { TokenIssuer, tokenIssuerOperations } from '@swarmgate/contract/rest/token-issuers.ts';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import { permissionsOf } from '#identity/grants.ts';
import type { Identity } from '#identity/identity.ts';
import {
  createTokenIssuer,
  deleteTokenIssuer,
  holdTokenIssuer,
  type IssuedRole,
  isBuiltinRole,
  listTokenIssuers,
  rolesOfIssuer,
  type TokenIssuerChoice,
  type TokenIssuerRow,
  updateTokenIssuer,
} from '#identity/issuers/token-issuers.ts';
import type { KeyRing } from '#kernel/key-ring.ts';
import { ProblemError } from '#kernel/problem.ts';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { Unit } from '#tenancy/scopes.ts';
import { refuseMore } from './hand-on.ts';
import type { Asked, HandlersOf } from './handler.ts';
import { conflict, notFound } from './refusals.ts';
import { createRefuseAbsent } from './refuse-absent.ts';
import { refuseOtherVersion } from './versions.ts';

export function tokenIssuerHandlers(
  keyRing: KeyRing,
  people: () => Pick<Identity, 'checkIssuerAddress' | 'issuedTokens' | 'hasShownFactor'>,
): HandlersOf<typeof tokenIssuerOperations> {
  const refuseAbsent = createRefuseAbsent(people, 'Whose tokens a tenant takes is said');

  const refuseAddresses = ({ issuer, jwks_url }: TokenIssuerChoice) => {
    refuseAddress('issuer', issuer);
    if (jwks_url !== null) refuseAddress('jwksUrl', jwks_url);
  };

  const refuseAddress = (field: string, address: string) => {
    try {
      const { search, hash } = people().checkIssuerAddress(address);
      if (field === 'issuer' && (search || hash))
        throw badAddress(field, 'The name of an issuer has neither query nor fragment.');
    } catch (error) {
      throw error instanceof ForbiddenUrlError ? badAddress(field, error.message) : error;
    }
  };

  return {
    listTokenIssuers: {
      async inTenant(_asked, unit) {
        return { body: { items: (await listTokenIssuers(unit)).map(show) } };
      },
    },
    createTokenIssuer: {
      before: refuseAbsent,
      async inTenant(asked, unit) {
        const { tenantId, body, principal } = asked;
        const wanted = readChoice(body);
        refuseAddresses(wanted);
        await refuseRoles(unit, asked, wanted);
        const row = await createTokenIssuer(unit, keyRing, { tenantId, keeperId: principal.id }, wanted);
        if (!row) throw taken();
        return {
          ...versioned(row),
          resourceId: toWire('tokenIssuer', row.id),
          detail: toldOf(row),
          afterwards: () => people().issuedTokens.forget(tenantId, row.issuer),
        };
      },
    },
    getTokenIssuer: {
      async inTenant({ ids }, unit) {
        const row = await holdTokenIssuer(unit, ids.tokenIssuerId);
        if (!row) throw notFound();
        return versioned(row);
      },
    },
    updateTokenIssuer: {
      before: refuseAbsent,
      async inTenant(asked, unit) {
        const { tenantId, ids, body, principal, seenVersion } = asked;
        const row = await holdTokenIssuer(unit, ids.tokenIssuerId);
        if (!row) throw notFound();
        refuseOtherVersion(row.version, seenVersion);
        const wanted = readChoice({ ...show(row), ...said(body) });
        refuseAddresses(wanted);
        // Also what it brought before: who could not have given that does not give it to others' tokens either.
        await refuseRoles(unit, asked, row, { ignoreGone: true });
        await refuseRoles(unit, asked, wanted);
        const changed = await updateTokenIssuer(unit, { id: row.id, keeperId: principal.id }, wanted);
        if (!changed) throw taken();
        return {
          ...versioned(changed),
          detail: { changed: Object.keys(body), ...toldOf(changed) },
          afterwards: () => {
            for (const { issuer } of [row, changed]) people().issuedTokens.forget(tenantId, issuer);
          },
        };
      },
    },
    deleteTokenIssuer: {
      async inTenant({ tenantId, ids, seenVersion }, unit) {
        const row = await holdTokenIssuer(unit, ids.tokenIssuerId);
        if (!row) throw notFound();
        refuseOtherVersion(row.version, seenVersion);
        await deleteTokenIssuer(unit, row.id);
        return {
          body: undefined,
          detail: toldOf(row),
          afterwards: () => people().issuedTokens.forget(tenantId, row.issuer),
        };
      },
    },
  };
}

async function refuseRoles(
  unit: Unit,
  asked: Pick<Asked, 'tenantId' | 'principal' | 'grant'>,
  choice: Pick<TokenIssuerChoice, 'role_map' | 'default_role'>,
  { ignoreGone = false } = {},
): Promise<void> {
  const roles = await rolesOfIssuer(unit, choice);
  if (!roles) {
    if (ignoreGone) return;
    throw conflict('unknown_role', 'There is no such role in this tenant.');
  }
  await refuseMore(unit, asked, [...permissionsOf(roles)]);
}

type Choice = Omit<TokenIssuer, 'id' | 'version' | 'createdAt' | 'updatedAt'>;

function readChoice(given: Choice): TokenIssuerChoice {
  return {
    ...{ name: given.name, issuer: given.issuer, audience: given.audience, jwks_url: given.jwksUrl },
    ...{ algorithms: [...new Set(given.algorithms)], role_claim: given.roleClaim },
    role_map: given.roles.map(({ value, role }) => ({ value, role: readRole(role) })),
    default_role: given.defaultRole === null ? null : readRole(given.defaultRole),
    ...{ required_claims: given.requiredClaims, is_enabled: given.isEnabled },
  };
}

// What a change does not name stays as it is.
function said(body: { [Name in keyof Choice]?: Choice[Name] | undefined }): Partial<Choice> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

function readRole(role: string): IssuedRole {
  const read = isBuiltinRole(role) ? role : fromWire('role', role);
  if (!read) throw conflict('unknown_role', 'There is no such role in this tenant.');
  return read;
}

function showRole(role: IssuedRole): string {
  return isBuiltinRole(role) ? role : toWire('role', role satisfies Uuid);
}

function show(row: TokenIssuerRow): TokenIssuer {
  const { id, name, issuer, audience, jwks_url, algorithms, role_claim, version } = row;
  return {
    ...{ id: toWire('tokenIssuer', id), name, issuer, audience, jwksUrl: jwks_url, algorithms },
    roleClaim: role_claim,
    roles: row.role_map.map(({ value, role }) => ({ value, role: showRole(role) })),
    defaultRole: row.default_role && showRole(row.default_role),
    ...{ requiredClaims: row.required_claims, isEnabled: row.is_enabled, version },
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

function versioned(row: TokenIssuerRow) {
  return { body: show(row), version: row.version };
}

function toldOf({ issuer, audience, is_enabled }: TokenIssuerRow) {
  return { issuer, audience, isEnabled: is_enabled };
}

function taken(): ProblemError {
  return conflict('token_issuer_taken', 'The tenant takes that issuer with that audience already.');
}

function badAddress(field: string, detail: string): ProblemError {
  return new ProblemError(400, 'invalid_request', 'Invalid request', detail, {}, [
    { pointer: `/body/${field}`, detail },
  ]);
}
