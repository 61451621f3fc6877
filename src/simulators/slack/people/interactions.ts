import type { Deliverer, Delivery } from '../deliver.ts';
import { newSlackId } from '../identifiers.ts';
import type { Occasion } from '../interactivity.ts';
import { isJson, type Json, textOf } from '../json.ts';
import { messageOnWire } from '../message-on-wire.ts';
import type { Actor, Stage } from '../stage.ts';
import type { Teller } from './tell.ts';

/** Clicks, commands and forms (https://docs.slack.dev/interactivity/handling-user-interaction). */

type Place = { user: string; app?: string };

export type Click = Place & {
  /** Which button or menu, by its `action_id`. */
  actionId: string;
  /** What was chosen in a menu, by its value. */
  value?: string;
} & ({ channel: string; ts: string } | { viewId: string });

export function createInteractions(stage: Stage, teller: Teller, deliver: Deliverer) {
  const { world, interactivity, judge, installations } = stage;

  function occasionOf(actor: Actor, user: string, more: Partial<Occasion> = {}): Occasion {
    const { teamId, installation } = actor;
    const nowhere = { channel: undefined, ts: undefined, threadTs: undefined, isEphemeral: false };
    return { appId: installation.appId, teamId, user, ...nowhere, ...more };
  }

  /** What stands in every interaction. */
  function common(actor: Actor, occasion: Occasion): Json {
    const { teamId, installation } = actor;
    const { domain, enterpriseId } = world.workspace(teamId);
    const { name } = world.user(teamId, occasion.user);
    const enterprise =
      enterpriseId === undefined ? null : { id: enterpriseId, name: `Enterprise ${enterpriseId}` };
    return {
      user: { id: occasion.user, username: name, name, team_id: teamId },
      api_app_id: installation.appId,
      token: installations.app(installation.appId).verificationToken,
      team: { id: teamId, domain, ...(enterpriseId !== undefined && { enterprise_id: enterpriseId }) },
      enterprise,
      is_enterprise_install: installation.teamId === undefined,
      trigger_id: interactivity.newTrigger(occasion),
    };
  }

  const responseUrl = (occasion: Occasion) =>
    `${stage.url()}/response/${interactivity.newResponse(occasion)}`;

  function send(actor: Actor, payload: Json): Promise<Delivery[]> {
    return deliver.once(installations.app(actor.installation.appId), 'interactive', payload);
  }

  return {
    /** Presses a button, or chooses in a menu, that is really there. */
    async click(teamId: string, click: Click): Promise<Delivery[]> {
      if ('viewId' in click) return clickInView(teamId, click);
      const ephemeral = judge.ephemerals.find(
        (one) => one.teamId === teamId && one.channel === click.channel && one.ts === click.ts,
      );
      const message = world.channel(teamId, click.channel)?.messages.get(click.ts);
      const element = findAction(ephemeral?.blocks ?? message?.blocks, click.actionId);
      if (!element) throw new RangeError(`There is no "${click.actionId}" in ${click.channel}/${click.ts}.`);
      const actor = teller.actor(teamId, click.app ?? message?.appId);
      const threadTs = ephemeral?.threadTs ?? message?.threadTs;
      const isEphemeral = ephemeral !== undefined;
      const { channel, ts, user } = click;
      const occasion = occasionOf(actor, user, { channel, ts, threadTs, isEphemeral });
      return send(actor, {
        type: 'block_actions',
        ...common(actor, occasion),
        container: {
          type: 'message',
          message_ts: ts,
          channel_id: channel,
          is_ephemeral: isEphemeral,
          ...(threadTs !== undefined && { thread_ts: threadTs }),
        },
        channel: { id: channel, name: world.channel(teamId, channel)?.name },
        ...(message && !isEphemeral && { message: messageOnWire(stage, message) }),
        state: { values: {} },
        response_url: responseUrl(occasion),
        actions: [actionOf(stage, element, click.value)],
      });
    },

    /** `values`: by block id and action id, as the view's state holds them. */
    async submitView(
      teamId: string,
      form: { viewId: string; values?: Json; app?: string },
    ): Promise<Delivery[]> {
      const seen = viewOf(form.viewId);
      const actor = teller.actor(teamId, form.app ?? seen.appId);
      return send(actor, {
        type: 'view_submission',
        ...common(actor, occasionOf(actor, seen.user)),
        view: { ...seen.view, state: { values: form.values ?? {} } },
        response_urls: [],
      });
    },

    async closeView(teamId: string, form: { viewId: string; app?: string }): Promise<Delivery[]> {
      const seen = viewOf(form.viewId);
      const actor = teller.actor(teamId, form.app ?? seen.appId);
      const { trigger_id: _trigger, ...payload } = common(actor, occasionOf(actor, seen.user));
      return send(actor, { type: 'view_closed', ...payload, view: seen.view, is_cleared: false });
    },

    /** A global shortcut, or one of a message when that is given. */
    async shortcut(
      teamId: string,
      shortcut: Place & { callbackId: string; message?: { channel: string; ts: string } },
    ): Promise<Delivery[]> {
      const { callbackId, user } = shortcut;
      const actor = teller.actor(teamId, shortcut.app);
      const action = { callback_id: callbackId, action_ts: stage.timestamp() };
      if (!shortcut.message)
        return send(actor, { type: 'shortcut', ...common(actor, occasionOf(actor, user)), ...action });
      const { channel, ts } = shortcut.message;
      const message = world.channel(teamId, channel)?.messages.get(ts);
      if (!message) throw new RangeError(`There is no message ${channel}/${ts}.`);
      const occasion = occasionOf(actor, user, { channel, ts, threadTs: message.threadTs });
      return send(actor, {
        type: 'message_action',
        ...common(actor, occasion),
        ...action,
        channel: { id: channel, name: world.channel(teamId, channel)?.name },
        message_ts: ts,
        message: messageOnWire(stage, message),
        response_url: responseUrl(occasion),
      });
    },

    async command(
      teamId: string,
      command: Place & { command: string; text?: string; channel: string },
    ): Promise<Delivery[]> {
      const { user, channel, text = '' } = command;
      const actor = teller.actor(teamId, command.app);
      const place = world.channel(teamId, channel) ?? world.addChannel(teamId, { id: channel });
      const { domain, enterpriseId } = world.workspace(teamId);
      const occasion = occasionOf(actor, user, { channel });
      const app = installations.app(actor.installation.appId);
      return deliver.once(app, 'slash_commands', {
        token: app.verificationToken,
        team_id: teamId,
        team_domain: domain,
        ...(enterpriseId !== undefined && {
          enterprise_id: enterpriseId,
          enterprise_name: `Enterprise ${enterpriseId}`,
        }),
        channel_id: channel,
        channel_name: place.type === 'im' ? 'directmessage' : place.name,
        user_id: user,
        user_name: world.user(teamId, user).name,
        command: command.command,
        text,
        api_app_id: app.appId,
        is_enterprise_install: String(actor.installation.teamId === undefined),
        response_url: responseUrl(occasion),
        trigger_id: interactivity.newTrigger(occasion),
      });
    },
  };

  function viewOf(id: string) {
    const seen = judge.views.find((view) => view.id === id);
    if (!seen) throw new RangeError(`There is no view ${id}.`);
    return seen;
  }

  async function clickInView(teamId: string, click: Click & { viewId: string }): Promise<Delivery[]> {
    const seen = viewOf(click.viewId);
    const blocks = Array.isArray(seen.view['blocks']) ? seen.view['blocks'].filter(isJson) : [];
    const element = findAction(blocks, click.actionId);
    if (!element) throw new RangeError(`There is no "${click.actionId}" in the view ${click.viewId}.`);
    const actor = teller.actor(teamId, seen.appId);
    return send(actor, {
      type: 'block_actions',
      ...common(actor, occasionOf(actor, click.user)),
      container: { type: 'view', view_id: click.viewId },
      view: seen.view,
      actions: [actionOf(stage, element, click.value)],
    });
  }
}

function findAction(blocks: readonly Json[] | undefined, actionId: string): Json | undefined {
  for (const block of blocks ?? []) {
    const elements = [block['accessory'], ...(Array.isArray(block['elements']) ? block['elements'] : [])];
    const found = elements.filter(isJson).find((element) => element['action_id'] === actionId);
    if (found) return { ...found, block_id: textOf(block['block_id']) || newSlackId('b') };
  }
  return undefined;
}

function actionOf(stage: Stage, element: Json, value: string | undefined): Json {
  const { type, action_id, block_id, text } = element;
  const action = { type, action_id, block_id, action_ts: stage.timestamp() };
  if (type === 'button')
    return { ...action, text, ...(element['value'] !== undefined && { value: element['value'] }) };
  const options = Array.isArray(element['options']) ? element['options'].filter(isJson) : [];
  const chosen = options.find((option) => option['value'] === value);
  if (!chosen) throw new RangeError(`There is no "${value}" to choose.`);
  return { ...action, selected_option: chosen };
}
