import { z } from 'zod';
import type { InboundOpening, OpenChannel } from '../../gateway.ts';
import type { SlackApi } from '../outbound/api.ts';
import type { SlackTexts } from '../texts.ts';
import { homeView } from './home-view.ts';
import { questionView } from './question-view.ts';

export type OpeningParts = { api: SlackApi; texts: SlackTexts };

/** Fills what a person has opened: the app's home, an assistant's thread, the form for a question. @throws {GatewayError} */
export async function fillOpening(
  { api, texts }: OpeningParts,
  channel: OpenChannel,
  { view, details }: InboundOpening,
  signal: AbortSignal,
): Promise<void> {
  switch (view) {
    case 'home': {
      const { user } = homeDetails.parse(details);
      const args = { user_id: user, view: homeView(channel, texts.home) };
      await api.call(channel, 'views.publish', args, signal);
      return;
    }
    case 'assistant': {
      const { channel: at, threadTs, changed } = assistantDetails.parse(details);
      if (changed) return; // the same suggestions stand there already
      const { title, prompts } = suggestionsOf(channel) ?? texts.suggestions;
      if (prompts.length === 0) return;
      const args = { channel_id: at, thread_ts: threadTs, ...(title && { title }), prompts };
      await api.call(channel, 'assistant.threads.setSuggestedPrompts', args, signal);
      return;
    }
    case 'question': {
      const { triggerId, messageText } = questionDetails.parse(details);
      const args = { trigger_id: triggerId, view: questionView(texts.question, messageText) };
      await api.call(channel, 'views.open', args, signal);
      return;
    }
  }
}

// As parse writes them.
const homeDetails = z.object({ user: z.string() });
const assistantDetails = z.object({
  channel: z.string(),
  threadTs: z.string(),
  changed: z.boolean().optional(),
});
const questionDetails = z.object({ triggerId: z.string(), messageText: z.string().optional() });

/** @see https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts/ */
const promptsMax = 4;
const suggestion = z.union([
  z
    .string()
    .min(1)
    .transform((message) => ({ title: message, message })),
  z.object({ title: z.string().min(1), message: z.string().min(1) }),
]);

/** What the tenant wants to be suggested, by the agent or else by the channel; `undefined`: it says nothing. */
function suggestionsOf({ agent, settings }: OpenChannel): SlackTexts['suggestions'] | undefined {
  const read = z.array(suggestion).safeParse(agent?.settings['suggestions'] ?? settings['suggestions']);
  return read.success ? { title: '', prompts: read.data.slice(0, promptsMax) } : undefined;
}
