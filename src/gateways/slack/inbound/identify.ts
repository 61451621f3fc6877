import type { Identified, RawRequest, Verified, WebhookReply } from '../../gateway.ts';
import { isCertificateCheck, readPayload, type SlackPayload } from './payload-body.ts';
import { fieldsOf, textOf } from './payload-fields.ts';
import { installationOf } from './payload-installation.ts';

/** The installation that a request is about, or the answer to what Slack asks of the address itself. */
export function identifySlack(request: Verified<RawRequest>): Identified {
  if (isCertificateCheck(request)) return { kind: 'reply', reply: plain(200, '') };
  const payload = readPayload(request);
  if (!payload) return { kind: 'reply', reply: plain(400, 'This is not what Slack posts to this address.') };

  if (payload.fields['type'] === 'url_verification') return { kind: 'reply', reply: confirmAddress(payload) };
  const accounts = accountsOf(payload);
  if (accounts.length === 0)
    return { kind: 'reply', reply: plain(400, 'This names neither a workspace nor an enterprise.') };
  return { kind: 'accounts', accounts };
}

/** @see https://docs.slack.dev/reference/events/url_verification/ */
function confirmAddress({ fields }: SlackPayload): WebhookReply {
  const challenge = textOf(fields['challenge']);
  return challenge === undefined ? plain(400, 'There is no challenge to repeat.') : plain(200, challenge);
}

/** A workspace that is claimed by itself goes before its enterprise, whose channel has all the others. */
function accountsOf(payload: SlackPayload): { kind: string; key: string }[] {
  const { workspace, enterprise } = installationOf(payload);
  const accounts = [
    ...(workspace ? [{ kind: 'workspace', key: workspace }] : []),
    ...(enterprise ? [{ kind: 'enterprise', key: enterprise }] : []),
  ];
  return endsAnInstallation(payload) ? accounts.slice(0, 1) : accounts;
}

// What a workspace removes is not what its enterprise has installed: only the installation that is named may pause.
function endsAnInstallation({ fields }: SlackPayload): boolean {
  const kind = fieldsOf(fields['event'])['type'];
  return kind === 'app_uninstalled' || kind === 'tokens_revoked';
}

function plain(status: number, body: string): WebhookReply {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
