import { textOf } from '../json.ts';
import type { AssistantThread, Judge } from '../judge.ts';
import { refuseArgument, SlackRefusal } from '../refusal.ts';
import type { Message } from '../world.ts';
import { findOwnChannel } from './lookup.ts';
import type { BotCall, Method } from './method.ts';

/** What an assistant shows around its thread (https://docs.slack.dev/ai/developing-agents). */
export const assistantMethods: Readonly<Record<string, Method>> = {
  'assistant.threads.setStatus': {
    token: 'bot',
    tier: 3,
    scope: 'chat:write',
    run(call) {
      const status = call.args.given['status'];
      if (typeof status !== 'string')
        throw refuseArgument('invalid_arguments', 'missing required field: status');
      const thread = threadOf(call, call.args.required('thread_ts'));
      thread.status = status;
      thread.statuses.push(status);
      return {};
    },
  },
  'assistant.threads.setTitle': {
    token: 'bot',
    tier: 3,
    scope: 'assistant:write',
    run(call) {
      threadOf(call, call.args.required('thread_ts')).title = call.args.required('title');
      return {};
    },
  },
  'assistant.threads.setSuggestedPrompts': {
    token: 'bot',
    tier: 3,
    scope: 'assistant:write',
    run(call) {
      const prompts = (call.args.list('prompts') ?? []).map(({ title, message }) => ({
        title: textOf(title),
        message: textOf(message),
      }));
      if (prompts.length === 0 || prompts.length > 4)
        throw refuseArgument('invalid_arguments', 'one to four prompts');
      if (prompts.some(({ title, message }) => title === '' || message === ''))
        throw refuseArgument('invalid_arguments', 'a prompt has a title and a message');
      threadOf(call, call.args.required('thread_ts')).prompts = prompts;
      return {};
    },
  },
};

function threadOf(call: BotCall, ts: string): AssistantThread {
  const { stage, args } = call;
  const channel = findOwnChannel(call, args.required('channel_id'));
  const first = channel.messages.get(ts);
  if (!first) throw new SlackRefusal('invalid_thread_ts');
  const threadTs = first.threadTs ?? ts;
  const known = findThread(stage.judge, channel.teamId, channel.id, threadTs);
  if (known) return known;
  const made: AssistantThread = {
    teamId: channel.teamId,
    channel: channel.id,
    threadTs,
    status: '',
    statuses: [],
    title: undefined,
    prompts: [],
  };
  stage.judge.assistantThreads.push(made);
  return made;
}

/** A status goes away when the app has answered. */
export function clearStatus(judge: Judge, { teamId, channelId, threadTs }: Message): void {
  if (threadTs === undefined) return;
  const thread = findThread(judge, teamId, channelId, threadTs);
  if (thread) thread.status = '';
}

function findThread(
  judge: Judge,
  teamId: string,
  channel: string,
  threadTs: string,
): AssistantThread | undefined {
  return judge.assistantThreads.find(
    (one) => one.teamId === teamId && one.channel === channel && one.threadTs === threadTs,
  );
}
