import type { InboundEvent, OpenChannel, ParsedWebhook, RawRequest, Verified } from '../../gateway.ts';
import { settingsOf } from '../channel.ts';
import { parseCommand } from './parse-command.ts';
import type { ParseContext } from './parse-context.ts';
import { parseEvent } from './parse-event.ts';
import { parseInteraction } from './parse-interaction.ts';
import { readPayload, type SlackPayload } from './payload-body.ts';
import { type Fields, idOf, rowsOf } from './payload-fields.ts';
import { installationOf, teamOf } from './payload-installation.ts';

/** What a request tells, by the settings of the channel that it belongs to. Nothing but reading: no calls, no clock. */
export function parseSlack(request: Verified<RawRequest>, channel: OpenChannel): ParsedWebhook {
  const payload = readPayload(request);
  if (!payload) return { events: [{ kind: 'unsupported', reason: 'unreadable' }] };
  const context = contextOf(payload, channel);
  switch (payload.endpoint) {
    case 'events':
      return {
        events: [aboutThisInstallation(parseEvent(payload.fields, context), payload.fields, channel)],
      };
    case 'interactions':
      return parseInteraction(payload.fields, context);
    case 'commands':
      return parseCommand(payload.fields, context);
  }
}

// Slack repeats an event for minutes: by then the app may be installed again.
function aboutThisInstallation(event: InboundEvent, fields: Fields, channel: OpenChannel): InboundEvent {
  const { installedAt } = settingsOf(channel).installation ?? {};
  const eventTime = fields['event_time'];
  if (event.kind !== 'disconnected' || installedAt === undefined || typeof eventTime !== 'number')
    return event;
  // Slack's times are whole seconds.
  if (eventTime * 1_000 + 1_000 > Date.parse(installedAt)) return event;
  return { kind: 'unsupported', reason: 'the end of an earlier installation' };
}

function contextOf(payload: SlackPayload, channel: OpenChannel): ParseContext {
  const { replies, installation } = settingsOf(channel);
  return {
    team: teamOf(installationOf(payload)),
    botUserIds: botUserIdsOf(payload.fields, installation?.botUserId),
    replies,
  };
}

function botUserIdsOf(fields: Fields, installed: string | undefined): ReadonlySet<string> {
  const authorized = rowsOf(fields['authorizations'])
    .filter((authorization) => authorization['is_bot'] === true)
    .map((authorization) => authorization['user_id']);
  return new Set([installed, ...authorized].map(idOf).filter((id) => id !== undefined));
}
