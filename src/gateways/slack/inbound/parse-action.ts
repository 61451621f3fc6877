import type { InboundEvent } from '../../gateway.ts';
import { type SlackPlace, writePlace } from '../places.ts';
import { isDirect, type ParseContext, participantOfInteraction } from './parse-context.ts';
import { type Fields, fieldsOf, idOf, kindOf, rowsOf, textOf, timeStampOf } from './payload-fields.ts';
import { valueTextOf } from './payload-values.ts';

/**
 * Buttons pressed and choices made, mostly one at a time.
 *
 * @see https://docs.slack.dev/reference/interaction-payloads/block_actions-payload/
 */
export function parseActions(fields: Fields, context: ParseContext): InboundEvent[] {
  const actions = rowsOf(fields['actions']);
  if (actions.length === 0) return [{ kind: 'unsupported', reason: 'block_actions without an action' }];
  return actions.map((action) => parseAction(action, fields, context));
}

function parseAction(action: Fields, fields: Fields, context: ParseContext): InboundEvent {
  // The browser has followed the link already.
  if (textOf(action['url']) !== undefined) return { kind: 'unsupported', reason: 'button with a link' };
  const user = idOf(fieldsOf(fields['user'])['id']);
  const actionId = textOf(action['action_id']);
  const actionTs = timeStampOf(action['action_ts']);
  const surface = readSurface(fields);
  if (user === undefined || actionId === undefined || actionTs === undefined || surface === undefined)
    return {
      kind: 'unsupported',
      reason: `block_actions/${kindOf(action['type'])} without what identifies it`,
    };

  const { team } = context;
  const { channel, ts, threadTs } = surface;
  return {
    kind: 'action',
    key: `action/${team}/${surface.id}/${actionId}/${actionTs}`,
    conversationExternalId: writePlace(placeOf(surface, user, context)),
    participant: participantOfInteraction(user, fields, team),
    text: valueTextOf(action) ?? actionId,
    content: {
      slack: {
        team,
        ...(channel && { channel }),
        ...(ts && { ts }),
        ...(threadTs && { threadTs }),
        user,
        action: { actionId, ...detailsOf(action) },
      },
    },
  };
}

/** What the element stands on: a message, or a view. */
type Surface = { id: string; channel?: string; ts?: string; threadTs?: string; isEphemeral?: boolean };

function readSurface(fields: Fields): Surface | undefined {
  const container = fieldsOf(fields['container']);
  const message = fieldsOf(fields['message']);
  const channel = idOf(container['channel_id']) ?? idOf(fieldsOf(fields['channel'])['id']);
  const ts = timeStampOf(container['message_ts']) ?? timeStampOf(message['ts']);
  const threadTs = timeStampOf(container['thread_ts']) ?? timeStampOf(message['thread_ts']);
  const isEphemeral = container['is_ephemeral'] === true;
  if (channel && ts) return { id: ts, channel, ts, ...(threadTs && { threadTs }), isEphemeral };

  const view = idOf(container['view_id']) ?? idOf(fieldsOf(fields['view'])['id']);
  return view === undefined ? undefined : { id: view };
}

/** The conversation that the message with the button belongs to. */
function placeOf(surface: Surface, user: string, { replies }: ParseContext): SlackPlace {
  const { channel, ts, threadTs, isEphemeral } = surface;
  if (channel === undefined || ts === undefined) return { kind: 'direct', user };
  if (threadTs) return { kind: 'thread', channel, threadTs };
  // What only one person has seen is no message that a thread could hang on.
  if (isDirect(channel) || isEphemeral) return { kind: 'direct', user };
  return replies === 'in_thread' ? { kind: 'channel', channel } : { kind: 'thread', channel, threadTs: ts };
}

function detailsOf(action: Fields): { blockId?: string; value?: string } {
  const blockId = textOf(action['block_id']);
  const value = textOf(action['value']) ?? textOf(fieldsOf(action['selected_option'])['value']);
  return { ...(blockId && { blockId }), ...(value && { value }) };
}
