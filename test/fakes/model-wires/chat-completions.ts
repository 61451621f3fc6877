import { isListOf, isRecord, type ModelWire, type Refusal, sse, unknownField } from './wire.ts';

const fields = ['model', 'messages', 'stream', 'stream_options', 'max_tokens', 'temperature'];
const roles = ['system', 'user', 'assistant'];

/** What OpenAI-compatible servers speak: `POST /v1/chat/completions`, streamed; usage comes only to who asks for it. */
export const chatCompletions: ModelWire = {
  handles: (path) => path === '/v1/chat/completions',

  refuse(headers, body, key) {
    if (headers.authorization !== `Bearer ${key}`) {
      return { status: 401, code: 'invalid_api_key', message: `Invalid API key: ${headers.authorization}.` };
    }
    const unknown = unknownField(body, fields);
    if (unknown !== undefined) return badRequest(`Unrecognized request argument supplied: ${unknown}`);
    if (typeof body['model'] !== 'string') return badRequest('you must provide a model parameter');
    if (body['stream'] !== true) return badRequest('This fake streams only.');
    const areMessages = isListOf(
      body['messages'],
      ({ role, content }) => roles.includes(String(role)) && typeof content === 'string' && content !== '',
    );
    return areMessages ? undefined : badRequest("Invalid 'messages'.");
  },

  frames(body) {
    const options = body['stream_options'];
    const wantsUsage = isRecord(options) && options['include_usage'] === true;
    const chunk = (choices: unknown[], more: object = {}) =>
      sse({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1_764_000_000,
        model: body['model'],
        choices,
        ...more,
      });
    const delta = (content: object, finish_reason: string | null = null) =>
      chunk([{ index: 0, delta: content, finish_reason }], wantsUsage ? { usage: null } : {});

    return {
      begin: delta({ role: 'assistant', content: '' }),
      piece: (text) => delta({ content: text }),
      end(finish, usage) {
        const reason = { stop: 'stop', length: 'length', 'content-filter': 'content_filter' }[finish];
        const usageChunk = chunk([], {
          usage: {
            prompt_tokens: usage.inputTokens,
            completion_tokens: usage.outputTokens,
            total_tokens: usage.inputTokens + usage.outputTokens,
            prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
            completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
          },
        });
        return `${delta({}, reason)}${wantsUsage ? usageChunk : ''}data: [DONE]\n\n`;
      },
      overloaded: sse({ error: { message: 'Overloaded.', type: 'server_error', code: 503 } }),
    };
  },

  error: ({ code, message }) => ({ error: { message, type: 'invalid_request_error', param: null, code } }),
};

function badRequest(message: string): Refusal {
  return { status: 400, code: 'invalid_request_error', message };
}
