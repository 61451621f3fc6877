import { messageOnWire } from '../message-on-wire.ts';
import { DiscordRefusal, unknown } from '../refusal.ts';
import type { SimulatedMessage } from '../world.ts';
import type { Call, Route } from './call.ts';
import { readContent } from './content.ts';
import { editMessage } from './messages.ts';

/** For so long an interaction's token is good. */
const tokenMs = 15 * 60_000;

function interactionOf({ stage, parameters }: Call) {
  const [appId, token] = parameters;
  const interaction = stage.interactions.byToken(token ?? '');
  if (!interaction || interaction.appId !== appId) throw unknown('Webhook');
  if (stage.now() - interaction.atMs > tokenMs)
    throw new DiscordRefusal(401, 50_027, 'Invalid Webhook Token');
  return interaction;
}

function answered(call: Call, message: SimulatedMessage) {
  return {
    status: 200,
    body: messageOnWire(call.stage.world, message, call.stage.world.app(message.author)),
  };
}

export const interactionRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: /^\/interactions\/(\d+)\/([\w-]+)\/callback$/,
    auth: 'interaction',
    answer({ stage, parameters: [id = '', token = ''], body }) {
      if (!stage.interactions.callback(id, token, body))
        throw new DiscordRefusal(404, 10_062, 'Unknown interaction');
      return { status: 204 };
    },
  },
  {
    method: 'PATCH',
    path: /^\/webhooks\/(\d+)\/([\w-]+)\/messages\/(@original|\d+)$/,
    auth: 'interaction',
    answer(call) {
      const interaction = interactionOf(call);
      const id = call.parameters[2] === '@original' ? interaction.originalId : call.parameters[2];
      const message = call.stage.world.channel(interaction.channelId).messages.get(id ?? '');
      if (!message || message.deleted || message.interactionId !== interaction.id) throw unknown('Message');
      editMessage(call, message);
      return answered(call, message);
    },
  },
  {
    method: 'POST',
    path: /^\/webhooks\/(\d+)\/([\w-]+)$/,
    auth: 'interaction',
    answer(call) {
      const interaction = interactionOf(call);
      const { world } = call.stage;
      const message = world.addMessage(world.channel(interaction.channelId), {
        ...readContent(call, true),
        author: interaction.appId,
        appId: interaction.appId,
        interactionId: interaction.id,
      });
      return answered(call, message);
    },
  },
];
