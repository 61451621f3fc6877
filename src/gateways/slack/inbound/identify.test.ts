import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Identified, RawRequest, Verified } from '../../gateway.ts';
import { identifySlack } from './identify.ts';

describe('an event belongs to', () => {
  test.each([
    ['the workspace that it names', { team_id: 'T1' }, ['workspace T1']],
    [
      'a workspace before its enterprise',
      { authorizations: [{ team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: true }] },
      ['workspace T1', 'enterprise E1'],
    ],
    [
      'the installation, not the other side of a shared channel',
      { team_id: 'T2', context_team_id: 'T1', authorizations: [{ team_id: 'T1', enterprise_id: null }] },
      ['workspace T1'],
    ],
    [
      'the installation, not the enterprise of the other side',
      {
        team_id: 'T2',
        enterprise_id: 'E2',
        context_team_id: 'T2',
        context_enterprise_id: 'E2',
        authorizations: [{ team_id: 'T1', enterprise_id: null }],
      },
      ['workspace T1'],
    ],
    [
      'the workspace through which it was seen, when no installation is named',
      { team_id: 'T2', enterprise_id: 'E2', context_team_id: 'T1', authorizations: [{ user_id: 'U1' }] },
      ['workspace T1'],
    ],
    [
      'the enterprise of an org-wide installation',
      {
        team_id: 'T2',
        context_team_id: null,
        context_enterprise_id: 'E1',
        authorizations: [{ team_id: null, enterprise_id: 'E1', is_enterprise_install: true }],
      },
      ['enterprise E1'],
    ],
    [
      'the workspace of that enterprise through which it was seen',
      {
        team_id: 'T2',
        context_team_id: 'T1',
        context_enterprise_id: 'E1',
        authorizations: [{ team_id: null, enterprise_id: 'E1' }],
      },
      ['workspace T1', 'enterprise E1'],
    ],
    [
      'no workspace outside that enterprise',
      {
        team_id: 'T2',
        context_team_id: 'T2',
        context_enterprise_id: 'E2',
        authorizations: [{ team_id: null, enterprise_id: 'E1' }],
      },
      ['enterprise E1'],
    ],
  ])('%s', (_, fields, accounts) => {
    expect(accountsOf(event({ event: { type: 'message' }, ...fields }))).toEqual(accounts);
  });

  test.each(['app_uninstalled', 'tokens_revoked'])(
    'the installation that it ends, and not the enterprise above it (%s)',
    (type) => {
      expect(accountsOf(event({ team_id: 'T1', enterprise_id: 'E1', event: { type } }))).toEqual([
        'workspace T1',
      ]);
      expect(accountsOf(event({ enterprise_id: 'E1', event: { type } }))).toEqual(['enterprise E1']);
    },
  );

  test('the workspace whose events are held back', () => {
    expect(accountsOf(event({ type: 'app_rate_limited', team_id: 'T1' }))).toEqual(['workspace T1']);
  });
});

describe('an interaction belongs to', () => {
  test.each([
    ['its workspace', { team: { id: 'T1' }, user: { team_id: 'T2' } }, ['workspace T1']],
    [
      'its workspace before its enterprise',
      { team: { id: 'T1', enterprise_id: 'E1' }, enterprise: { id: 'E1' } },
      ['workspace T1', 'enterprise E1'],
    ],
    [
      'the person’s workspace where the app is installed org-wide',
      { team: null, enterprise: { id: 'E1' }, is_enterprise_install: true, user: { team_id: 'T1' } },
      ['workspace T1', 'enterprise E1'],
    ],
    [
      'the workspace that has installed the app, not the one in which its form was filled in',
      {
        team: { id: 'T2', enterprise_id: 'E2' },
        enterprise: { id: 'E2' },
        view: { app_installed_team_id: 'T1', team_id: 'T2' },
      },
      ['workspace T1'],
    ],
    [
      'the enterprise that has installed the app, and no workspace outside it',
      { team: { id: 'T2' }, enterprise: null, view: { app_installed_team_id: 'E1' } },
      ['enterprise E1'],
    ],
    [
      'the workspace inside the enterprise that has installed the app',
      { team: { id: 'T1', enterprise_id: 'E1' }, view: { app_installed_team_id: 'E1' } },
      ['workspace T1', 'enterprise E1'],
    ],
  ])('%s', (_, fields, accounts) => {
    expect(accountsOf(interaction({ type: 'view_submission', ...fields }))).toEqual(accounts);
  });
});

test('a command belongs to its workspace, and to the enterprise above it', () => {
  expect(accountsOf(command({ team_id: 'T1', enterprise_id: 'E1' }))).toEqual([
    'workspace T1',
    'enterprise E1',
  ]);
});

describe('what Slack asks of the address itself is answered', () => {
  test('the challenge is repeated', () => {
    const request = event({
      type: 'url_verification',
      challenge: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7',
    });
    expect(identifySlack(request)).toEqual({
      kind: 'reply',
      reply: {
        status: 200,
        contentType: 'text/plain; charset=utf-8',
        body: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7',
      },
    });
  });

  test.each(['commands', 'interactions'])('its certificate is looked at (%s)', (endpoint) => {
    expect(statusOf(posted(endpoint, 'ssl_check=1&token=x'))).toBe(200);
  });
});

describe('what cannot be read is a bad request', () => {
  test.each([
    ['events', ''],
    ['events', 'no JSON'],
    ['events', '[]'],
    ['events', '{}'],
    ['events', '"text"'],
    ['events', '{"type":"url_verification","challenge":7}'],
    ['events', '{"type":"event_callback"}'],
    ['events', '{"type":"event_callback","team_id":7,"authorizations":[{"team_id":{}}]}'],
    ['events', '{"type":"event_callback","team_id":"t1/../x"}'],
    ['events', '{"__proto__":{"team_id":"T1"}}'],
    ['interactions', ''],
    ['interactions', '{"type":"block_actions","team":{"id":"T1"}}'],
    ['interactions', 'payload=%7B'],
    ['interactions', 'payload='],
    ['commands', ''],
    ['commands', 'text=hello'],
    ['elsewhere', '{"type":"event_callback","team_id":"T1"}'],
    ['', ''],
  ])('at %s: %s', (endpoint, body) => {
    expect(statusOf(posted(endpoint, body))).toBe(400);
  });
});

test('any request is either about accounts or answered', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('events', 'interactions', 'commands', 'x'),
      fc.oneof(
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.json().map((json) => Buffer.from(json)),
        fc.json().map((json) => Buffer.from(String(new URLSearchParams({ payload: json })))),
      ),
      (endpoint, body) => {
        expect(['accounts', 'reply']).toContain(identifySlack(posted(endpoint, body)).kind);
      },
    ),
  );
});

function accountsOf(request: Verified<RawRequest>): string[] {
  const identified = identifySlack(request);
  expect(identified.kind).toBe('accounts');
  return (identified as Extract<Identified, { kind: 'accounts' }>).accounts.map(
    ({ kind, key }) => `${kind} ${key}`,
  );
}

function statusOf(request: Verified<RawRequest>): number | undefined {
  const identified = identifySlack(request);
  return identified.kind === 'reply' ? identified.reply.status : undefined;
}

function event(fields: Record<string, unknown>): Verified<RawRequest> {
  return posted('events', JSON.stringify({ type: 'event_callback', ...fields }));
}

function interaction(fields: Record<string, unknown>): Verified<RawRequest> {
  return posted('interactions', String(new URLSearchParams({ payload: JSON.stringify(fields) })));
}

function command(fields: Record<string, string>): Verified<RawRequest> {
  return posted('commands', String(new URLSearchParams({ command: '/ask', ...fields })));
}

function posted(endpoint: string, body: string | Buffer): Verified<RawRequest> {
  const request = { method: 'POST', urls: [], endpoint, headers: {}, body: Buffer.from(body as string) };
  return request as RawRequest as Verified<RawRequest>;
}
