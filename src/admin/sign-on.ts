import type { SignOnConnection, SignOnDomain, signOnOperations } from '@swarmgate/contract/rest/sign-on.ts';
import { fromWire, toWire, type Uuid } from '#domain/ids.ts';
import type { Identity } from '#identity/identity.ts';
import {
  type SignOnConnection as ConnectionRow,
  type DomainChange,
  type SignOnDomain as DomainRow,
  normaliseDomain,
  recordNameOf,
  type SignOnChange,
  type SignOnChoice,
} from '#identity/sign-on/sign-on.ts';
import { ProblemError } from '#kernel/problem.ts';
import { ForbiddenUrlError } from '#kernel/url-guard.ts';
import type { HandlersOf, OrganizationAsked } from './handler.ts';
import { conflict, notFound, versionChanged } from './refusals.ts';
import { createRefuseAbsent } from './refuse-absent.ts';

/** With which providers people of an organization sign in. The use cases tell the trail themselves. */
export function signOnHandlers(
  people: () => Pick<Identity, 'signOn' | 'checkIssuerAddress' | 'hasShownFactor'>,
): HandlersOf<typeof signOnOperations> {
  const show = (row: ConnectionRow): SignOnConnection => ({
    ...{
      id: toWire('signOnConnection', row.id),
      name: row.name,
      issuer: row.issuer,
      clientId: row.client_id,
    },
    isEnabled: row.is_enabled,
    secondFactor: { amr: row.second_factor_amr, acr: row.second_factor_acr },
    joins: row.joins_as && {
      role: row.joins_as,
      tenantIds: row.joins_tenants.map((id) => toWire('tenant', id)),
    },
    redirectUri: people().signOn.redirectUriOf(row.id),
    version: row.version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  });

  const refuseAbsent = createRefuseAbsent(people, 'Who signs people in is decided');

  const versioned = (row: ConnectionRow) => ({ body: show(row), version: row.version });

  const changed = (change: SignOnChange) => {
    if (change.outcome !== 'done') throw refusalOf(change);
    return versioned(change.connection);
  };

  return {
    listSignOnConnections: {
      async inOrganization({ organizationId }, unit) {
        const rows = await people().signOn.listConnections(unit, organizationId);
        return { body: { items: rows.map(show) } };
      },
    },
    createSignOnConnection: {
      before: refuseAbsent,
      async tellsOfOrganization(asked) {
        const { organizationId, body } = asked;
        const { clientSecret, ...given } = body;
        const choice = readChoice(given);
        refuseIssuer(people, choice.issuer);
        const wish = { organizationId, clientSecret, choice };
        return changed(await people().signOn.createConnection(wish, changerOf(asked)));
      },
    },
    getSignOnConnection: {
      async inOrganization({ organizationId, ids }, unit) {
        const row = await people().signOn.findConnection(unit, organizationId, ids.signOnConnectionId);
        if (!row) throw notFound();
        return versioned(row);
      },
    },
    updateSignOnConnection: {
      async before(asked) {
        // To switch it off is never too early.
        const { isEnabled, ...more } = said(asked.body);
        if (isEnabled !== false || Object.keys(more).length > 0) await refuseAbsent(asked);
      },
      async tellsOfOrganization(asked) {
        const { organizationId, ids, body, seenVersion } = asked;
        const { clientSecret, ...given } = body;
        if (given.issuer !== undefined) refuseIssuer(people, given.issuer);
        const change = (now: ConnectionRow) => ({
          ...{ choice: readChoice({ ...show(now), ...said(given) }), clientSecret },
        });
        const wish = { organizationId, id: ids.signOnConnectionId, change, ifVersion: seenVersion };
        return changed(await people().signOn.updateConnection(wish, changerOf(asked)));
      },
    },
    deleteSignOnConnection: {
      before: refuseAbsent,
      async tellsOfOrganization(asked) {
        const { organizationId, ids, seenVersion } = asked;
        const wish = { organizationId, id: ids.signOnConnectionId, ifVersion: seenVersion };
        changed(await people().signOn.deleteConnection(wish, changerOf(asked)));
        return { body: undefined };
      },
    },
    unlinkSignOnIdentity: {
      async tellsOfOrganization(asked) {
        const { organizationId, ids } = asked;
        const wish = { organizationId, id: ids.signOnConnectionId, userId: ids.userId };
        if (!(await people().signOn.unlinkIdentity(wish, changerOf(asked)))) throw notFound();
        return { body: undefined };
      },
    },
    listSignOnDomains: {
      async inOrganization({ organizationId }, unit) {
        const rows = await people().signOn.listDomains(unit, organizationId);
        return { body: { items: rows.map(showDomain) } };
      },
    },
    claimSignOnDomain: {
      async tellsOfOrganization(asked) {
        const { organizationId, body } = asked;
        const domain = normaliseDomain(body.domain);
        if (domain === undefined) throw badField('domain', 'That is no domain of the Internet.');
        const wish = { organizationId, domain, connectionId: readConnectionId(body.connectionId) };
        return shownDomain(await people().signOn.claimDomain(wish, changerOf(asked)));
      },
    },
    assignSignOnDomain: {
      before: refuseAbsent,
      async tellsOfOrganization(asked) {
        const connectionId = readConnectionId(asked.body.connectionId);
        return shownDomain(
          await people().signOn.assignDomain({ ...domainOf(asked), connectionId }, changerOf(asked)),
        );
      },
    },
    releaseSignOnDomain: {
      async tellsOfOrganization(asked) {
        shownDomain(await people().signOn.releaseDomain(domainOf(asked), changerOf(asked)));
        return { body: undefined };
      },
    },
    proveSignOnDomain: {
      before: refuseAbsent,
      async tellsOfOrganization(asked) {
        return shownDomain(await people().signOn.proveDomain(domainOf(asked), changerOf(asked)));
      },
    },
    confirmSignOnDomain: {
      before: refuseAbsent,
      async tellsOfOrganization(asked) {
        const wish = { ...domainOf(asked), confirmedBy: 'operator' as const };
        return shownDomain(await people().signOn.confirmDomain(wish, changerOf(asked)));
      },
    },
  };
}

function domainOf({
  organizationId,
  ids,
}: {
  organizationId: Uuid;
  ids: Readonly<{ signOnDomainId: Uuid }>;
}): { organizationId: Uuid; id: Uuid } {
  return { organizationId, id: ids.signOnDomainId };
}

function changerOf({ principal, grant, client }: Pick<OrganizationAsked, 'principal' | 'grant' | 'client'>) {
  return { id: principal.id, isOperator: grant.permissions.has('organization:admin'), client };
}

type Choice = Omit<SignOnConnection, 'id' | 'redirectUri' | 'version' | 'createdAt' | 'updatedAt'>;

function readChoice({ name, issuer, clientId, isEnabled, secondFactor, joins }: Choice): SignOnChoice {
  return {
    ...{ name, issuer, client_id: clientId, is_enabled: isEnabled },
    ...{ second_factor_amr: secondFactor.amr, second_factor_acr: secondFactor.acr },
    joins_as: joins?.role ?? null,
    joins_tenants: [
      ...new Set(
        joins?.tenantIds.map((wire) => {
          const id = fromWire('tenant', wire);
          if (!id) throw unknownTenant();
          return id;
        }),
      ),
    ],
  };
}

// What a change does not name stays as it is.
function said(body: { [Name in keyof Choice]?: Choice[Name] | undefined }): Partial<Choice> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

function readConnectionId(wire: string | null): Uuid | null {
  const id = wire === null ? null : fromWire('signOnConnection', wire);
  if (id === undefined) throw unknownConnection();
  return id;
}

function refuseIssuer(people: () => Pick<Identity, 'checkIssuerAddress'>, issuer: string): void {
  try {
    const { search, hash } = people().checkIssuerAddress(issuer);
    if (search || hash) throw badField('issuer', 'The name of an issuer has neither query nor fragment.');
  } catch (error) {
    throw error instanceof ForbiddenUrlError ? badField('issuer', error.message) : error;
  }
}

function showDomain(row: DomainRow): SignOnDomain {
  return {
    ...{ id: toWire('signOnDomain', row.id), domain: row.domain },
    connectionId: row.connection_id && toWire('signOnConnection', row.connection_id),
    record: { name: recordNameOf(row.domain), type: 'TXT', value: row.proof },
    ...{ confirmedAt: row.confirmed_at?.toISOString() ?? null, confirmedBy: row.confirmed_by },
    createdAt: row.created_at.toISOString(),
  };
}

function shownDomain(change: DomainChange) {
  if (change.outcome === 'done') return { body: showDomain(change.domain) };
  switch (change.outcome) {
    case 'unknown_domain':
      throw notFound();
    case 'unknown_connection':
      throw unknownConnection();
    case 'taken':
      throw conflict(
        'domain_taken',
        'The domain is claimed already, or is confirmed for another organization.',
      );
    case 'not_proved':
      throw conflict('domain_not_proved', 'There is no such TXT record; it may take a while to be seen.');
  }
}

function refusalOf({ outcome }: Exclude<SignOnChange, { outcome: 'done' }>): ProblemError {
  switch (outcome) {
    case 'unknown_connection':
      return notFound();
    case 'changed_meanwhile':
      return versionChanged();
    case 'secret_needed':
      return conflict(
        'client_secret_needed',
        'Another issuer or client is given together with its secret ("clientSecret"): the one that is kept goes nowhere else.',
      );
    case 'unknown_tenant':
      return unknownTenant();
    case 'last_way_in':
      return conflict(
        'last_way_in',
        'The organization takes no passwords: let it take them again first, or make another connection.',
      );
  }
}

function unknownTenant(): ProblemError {
  return conflict('unknown_tenant', 'The organization has no such tenant.');
}

function unknownConnection(): ProblemError {
  return conflict('unknown_connection', 'The organization has no such connection.');
}

function badField(field: string, detail: string): ProblemError {
  return new ProblemError(400, 'invalid_request', 'Invalid request', detail, {}, [
    { pointer: `/body/${field}`, detail },
  ]);
}
