import { SlackRefusal } from '../refusal.ts';
import { findMessage, findOwnChannel } from './lookup.ts';
import type { Method } from './method.ts';

/** https://docs.slack.dev/reference/methods/reactions.add */
export const reactionMethods: Readonly<Record<string, Method>> = {
  'reactions.add': {
    token: 'bot',
    tier: 3,
    scope: 'reactions:write',
    run(call) {
      const name = call.args.required('name');
      if (!/^[a-z0-9_+'-]+(::skin-tone-[2-6])?$/.test(name)) throw new SlackRefusal('invalid_name');
      const channel = findOwnChannel(call, call.args.required('channel'));
      const { reactions } = findMessage(call, channel, call.args.required('timestamp'));
      const { botUserId } = call.installation;
      const reaction = reactions.find((one) => one.name === name);
      if (reaction?.users.includes(botUserId)) throw new SlackRefusal('already_reacted');
      if (reaction) reaction.users.push(botUserId);
      else reactions.push({ name, users: [botUserId] });
      return {};
    },
  },
};
