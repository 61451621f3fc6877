import { z } from 'zod';
import { displayName, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';
import { builtinRoles } from './permissions.ts';

/** Issuers of a tenant's own: whoever has a token of one acts in that tenant, without an account here. */

const role = z.union([z.enum(builtinRoles), wireId('roleId')]).meta({
  description: 'A role that every tenant has by its name, or one of the tenant’s own by its id.',
});
const oneLine = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line');
const claim = oneLine(200).meta({
  description: 'The name of a claim, or a JSON pointer into one (`/realm_access/roles`).',
});

const choice = z.strictObject({
  name: displayName,
  issuer: oneLine(500).meta({ description: 'The `iss` of its tokens, character by character.' }),
  audience: oneLine(500).meta({ description: 'The `aud` of the tokens that are for this tenant.' }),
  jwksUrl: oneLine(2_000)
    .nullable()
    .meta({ description: 'Where its keys are; null: where its metadata say (OpenID Connect Discovery).' }),
  algorithms: z
    .array(z.enum(['EdDSA', 'ES256', 'RS256', 'PS256']))
    .min(1)
    .max(4),
  roleClaim: claim.nullable(),
  roles: z
    .array(z.strictObject({ value: oneLine(200), role }))
    .max(50)
    .meta({ description: 'What a value of `roleClaim` is here. Of several, all that they permit.' }),
  defaultRole: role
    .nullable()
    .meta({ description: 'For tokens that no mapping fits; null: they get nothing.' }),
  requiredClaims: z
    .array(z.strictObject({ claim, value: z.union([oneLine(500), z.number(), z.boolean()]) }))
    .max(10)
    .meta({ description: 'What a token must say besides; of a list, one of it.' }),
  isEnabled: z.boolean(),
});

export const tokenIssuer = z.strictObject({
  id: wireId('tokenIssuerId'),
  ...choice.shape,
  version: z.int(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type TokenIssuer = z.infer<typeof tokenIssuer>;

const { name, issuer, audience, ...more } = choice.shape;
const newTokenIssuer = z.strictObject({
  ...{ name, issuer, audience },
  jwksUrl: more.jwksUrl.default(null),
  algorithms: more.algorithms.default(['RS256', 'ES256', 'EdDSA', 'PS256']),
  roleClaim: more.roleClaim.default(null),
  roles: more.roles.default([]),
  defaultRole: more.defaultRole.default(null),
  requiredClaims: more.requiredClaims.default([]),
  isEnabled: more.isEnabled.default(true),
});

const tag = 'Token issuers';
const path = '/tenants/{tenantId}/token-issuers';
const onePath = '/tenants/{tenantId}/token-issuers/{tokenIssuerId}';

export const tokenIssuerOperations = operations({
  listTokenIssuers: {
    ...{ method: 'get', path, tag, needs: 'token-issuers:read' },
    summary: 'List the issuers whose tokens a tenant takes',
    answer: { status: 200, body: z.strictObject({ items: z.array(tokenIssuer) }) },
  },
  createTokenIssuer: {
    ...{ method: 'post', path, tag, needs: 'token-issuers:write' },
    summary: 'Take the tokens of an issuer',
    description:
      'People do, API keys do not; and nobody maps a role that permits more than they may do themselves.',
    body: newTokenIssuer,
    answer: { status: 201, body: tokenIssuer },
    isVersioned: true,
  },
  getTokenIssuer: {
    ...{ method: 'get', path: onePath, tag, needs: 'token-issuers:read' },
    summary: 'Look at an issuer',
    answer: { status: 200, body: tokenIssuer },
    isVersioned: true,
  },
  updateTokenIssuer: {
    ...{ method: 'patch', path: onePath, tag, needs: 'token-issuers:write' },
    summary: 'Change an issuer, everywhere within a second',
    body: choice.partial(),
    answer: { status: 200, body: tokenIssuer },
    isVersioned: true,
  },
  deleteTokenIssuer: {
    ...{ method: 'delete', path: onePath, tag, needs: 'token-issuers:write' },
    summary: 'Take the tokens of an issuer no more, everywhere within a second',
    answer: { status: 204 },
    isVersioned: true,
  },
});
