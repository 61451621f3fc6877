import type { WebhookReply } from '../../gateway.ts';

/** What Discord shows at once. @see https://discord.com/developers/docs/interactions/receiving-and-responding#responding-to-an-interaction */

const ephemeral = 64;
const callsNobody = { parse: [] };

export const pong = () => reply(1);

/** "… is thinking": the answer replaces it. */
export const atWork = () => reply(5);

export const onlyForYou = (content: string) =>
  reply(4, { content, flags: ephemeral, allowed_mentions: callsNobody });

/** In place of the message that the menu stands in. */
export const instead = (content: string, components: readonly object[] = []) =>
  reply(7, { content, components, allowed_mentions: callsNobody });

export const said = (content: string, components: readonly object[] = []) =>
  reply(4, { content, components, allowed_mentions: callsNobody });

export const noChoices = () => reply(8, { choices: [] });

export const questionForm = ({ title, label }: { title: string; label: string }) =>
  reply(9, {
    ...{ custom_id: 'swarmgate:question', title },
    components: [
      {
        type: 1,
        components: [{ type: 4, custom_id: 'question', style: 2, label, required: true, max_length: 4_000 }],
      },
    ],
  });

function reply(type: number, data?: object): WebhookReply {
  return {
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify({ type, ...(data && { data }) }),
  };
}
