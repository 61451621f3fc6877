import { userOnWire } from '../message-on-wire.ts';
import { invalidForm, missingAccess, unknown } from '../refusal.ts';
import { type Call, type Route, textOf } from './call.ts';
import { appOf, channelOf } from './messages.ts';

/** Servers and their members, as only a bot that is in them may see. */
function guildOf(call: Call) {
  const { stage, parameters } = call;
  const app = appOf(call);
  const guild = stage.world.guilds.get(parameters[0] ?? '');
  if (guild?.bots.has(app.id)) return guild;
  if (guild)
    stage.judge.violations.push(`the token of ${app.id} was used for server ${guild.id}, where it is not`);
  throw guild ? missingAccess() : unknown('Guild');
}

function ownApplication(call: Call) {
  const app = appOf(call);
  if (call.parameters[0] === app.id) return app;
  call.stage.judge.violations.push(
    `the token of ${app.id} was used for the application ${call.parameters[0]}`,
  );
  throw missingAccess();
}

export const otherRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/gateway\/bot$/,
    auth: 'bot',
    answer: ({ stage }) => ({
      status: 200,
      body: {
        url: stage.url().replace('http', 'ws'),
        shards: stage.shards,
        session_start_limit: stage.sockets.startLimit(),
      },
    }),
  },
  {
    method: 'GET',
    path: /^\/applications\/@me$/,
    auth: 'bot',
    answer(call) {
      const { id } = appOf(call);
      return { status: 200, body: { id, name: `app-${id}`, bot: userOnWire(call.stage.world, id) } };
    },
  },
  {
    method: 'GET',
    path: /^\/users\/@me$/,
    auth: 'bot',
    answer: (call) => ({ status: 200, body: userOnWire(call.stage.world, appOf(call).id) }),
  },
  {
    method: 'POST',
    path: /^\/users\/@me\/channels$/,
    auth: 'bot',
    answer(call) {
      const user = textOf(call.body['recipient_id']);
      const { world } = call.stage;
      if (![...world.guilds.values()].some(({ members }) => members.has(user))) throw unknown('User');
      const channel = world.directChannel(appOf(call).id, user);
      return { status: 200, body: { id: channel.id, type: 1, recipients: [userOnWire(world, user)] } };
    },
  },
  {
    method: 'GET',
    path: /^\/channels\/(\d+)$/,
    auth: 'bot',
    answer(call) {
      const { id, type, name, guildId, parentId } = channelOf(call);
      return { status: 200, body: { id, type, name, guild_id: guildId, parent_id: parentId } };
    },
  },
  {
    method: 'GET',
    path: /^\/guilds\/(\d+)$/,
    auth: 'bot',
    answer(call) {
      const { id, name, bots } = guildOf(call);
      const roles = [...bots].map(([bot_id, { roleId }]) => ({ id: roleId, name: bot_id, tags: { bot_id } }));
      return { status: 200, body: { id, name, roles } };
    },
  },
  {
    method: 'GET',
    path: /^\/guilds\/(\d+)\/members\/(\d+)$/,
    auth: 'bot',
    answer(call) {
      const user = call.parameters[1] ?? '';
      if (!guildOf(call).members.has(user)) throw unknown('Member');
      return { status: 200, body: { user: userOnWire(call.stage.world, user), roles: [] } };
    },
  },
  {
    method: 'GET',
    path: /^\/applications\/(\d+)\/commands$/,
    auth: 'bot',
    answer: (call) => ({ status: 200, body: ownApplication(call).commands }),
  },
  {
    method: 'POST',
    path: /^\/applications\/(\d+)\/commands$/,
    auth: 'bot',
    answer(call) {
      const app = ownApplication(call);
      const { body, stage } = call;
      const { name, type = 1 } = body;
      if (!/^[\w ]{1,32}$/.test(textOf(name))) throw invalidForm('name');
      if (type === 1 && textOf(body['description']) === '') throw invalidForm('description');
      const at = app.commands.findIndex((one) => one['name'] === name && one['type'] === type);
      const id = app.commands[at]?.['id'] ?? stage.world.snowflake();
      const command = { ...body, type, id, application_id: app.id, version: stage.world.snowflake() };
      if (at < 0) app.commands.push(command);
      else app.commands[at] = command;
      return { status: at < 0 ? 201 : 200, body: command };
    },
  },
  {
    method: 'POST',
    path: /^\/oauth2\/token$/,
    auth: 'client',
    answer({ stage, body }) {
      const app = stage.world.apps.get(textOf(body['client_id']));
      if (!app || body['client_secret'] !== app.clientSecret)
        return { status: 401, body: { error: 'invalid_client' } };
      const code = stage.codes.get(textOf(body['code']));
      stage.codes.delete(textOf(body['code']));
      if (code?.appId !== app.id || code.redirectUri !== body['redirect_uri'])
        return { status: 400, body: { error: 'invalid_grant' } };
      const guild = stage.world.guilds.get(code.guildId);
      return {
        status: 200,
        body: {
          ...{
            access_token: 'unused',
            token_type: 'Bearer',
            expires_in: 604_800,
            scope: 'bot applications.commands',
          },
          guild: { id: code.guildId, name: guild?.name },
        },
      };
    },
  },
];
