import { readArguments } from './arguments.ts';
import { readContent } from './content/read-content.ts';
import type { Json } from './json.ts';
import { SlackRefusal } from './refusal.ts';
import type { Stage } from './stage.ts';
import { visibleText } from './visible-text.ts';

export type ResponseAnswer = { status: number; body: string };

/** Answers a post to an address that an interaction brought (https://docs.slack.dev/interactivity/handling-user-interaction#message_responses). */
export function answerResponse(stage: Stage, id: string, given: Json): ResponseAnswer {
  try {
    respond(stage, id, given);
    return keep(stage, given, { status: 200, body: 'ok' });
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    const isGone = error.error === 'used_url' || error.error === 'expired_url';
    return keep(stage, given, {
      status: isGone ? 404 : 400,
      body: JSON.stringify({ ok: false, error: error.error }),
    });
  }
}

function keep(stage: Stage, given: Json, answer: ResponseAnswer): ResponseAnswer {
  stage.judge.calls.push({
    method: 'response_url',
    appId: undefined,
    teamId: undefined,
    enterpriseId: undefined,
    arguments: given,
    status: answer.status,
    answer: { body: answer.body },
    fault: undefined,
    atMs: stage.now(),
  });
  return answer;
}

function respond(stage: Stage, id: string, given: Json): void {
  const { world, judge, interactivity, installations } = stage;
  const args = readArguments(given);
  const {
    appId,
    teamId,
    user,
    channel: channelId = '',
    ts = '',
    threadTs,
    isEphemeral,
  } = interactivity.useResponse(id);
  const channel = world.channel(teamId, channelId);
  const installation = installations.find(appId, teamId);
  if (!channel || !installation) throw new SlackRefusal('channel_not_found');
  const original = isEphemeral ? undefined : channel.messages.get(ts);
  const note = judge.ephemerals.find(
    (one) => one.teamId === teamId && one.channel === channelId && one.ts === ts,
  );

  if (args.isTrue('delete_original')) {
    if (original) original.isDeleted = true;
    if (note) judge.ephemerals.splice(judge.ephemerals.indexOf(note), 1);
    return;
  }
  const content = readContent(args);
  if (args.isTrue('replace_original') && original) {
    Object.assign(original, content);
    original.editedTs = stage.timestamp();
    original.edits.push(visibleText(original));
    return;
  }
  if (args.isTrue('replace_original') && note) {
    Object.assign(note, { text: content.text, blocks: content.blocks });
    return;
  }
  const thread = args.text('thread_ts') ?? threadTs;
  if (args.text('response_type') === 'in_channel') {
    const { botUserId, botId } = installation;
    const posted = { ...content, ts: stage.timestamp(), threadTs: thread, user: botUserId, botId, appId };
    stage.announce({ kind: 'posted', message: world.addMessage(channel, posted) });
    return;
  }
  const { text, blocks } = content;
  judge.ephemerals.push({
    teamId,
    channel: channel.id,
    user,
    ts: stage.timestamp(),
    threadTs: thread,
    text,
    blocks,
  });
}
