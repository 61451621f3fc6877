import { isListOf, type ModelWire, type Refusal, sse, unknownField } from './wire.ts';

const fields = ['model', 'max_tokens', 'messages', 'system', 'stream', 'temperature', 'metadata', 'thinking'];

/** Anthropic's Messages API: `POST /v1/messages`, streamed. It ends with `message_stop`; pings come in between. */
export const anthropicMessages: ModelWire = {
  handles: (path) => path === '/v1/messages',

  refuse(headers, body, key) {
    if (headers['x-api-key'] !== key) {
      return {
        status: 401,
        code: 'authentication_error',
        message: `invalid x-api-key ${headers['x-api-key']}`,
      };
    }
    if (headers['anthropic-version'] !== '2023-06-01')
      return badRequest('anthropic-version: header is required');
    const unknown = unknownField(body, fields);
    if (unknown !== undefined) return badRequest(`${unknown}: Extra inputs are not permitted`);
    if (typeof body['model'] !== 'string') return badRequest('model: Field required');
    if (!Number.isInteger(body['max_tokens']) || Number(body['max_tokens']) < 1)
      return badRequest('max_tokens: Field required');
    if (body['stream'] !== true) return badRequest('This fake streams only.');
    if (!isListOf(body['messages'], ({ role }) => role === 'user' || role === 'assistant')) {
      return badRequest('messages: at least one message is required, of role "user" or "assistant"');
    }
    return undefined;
  },

  frames(body) {
    const event = (type: string, data: object = {}) => sse({ type, ...data }, type);
    const start = (usage: object) =>
      event('message_start', {
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: body['model'],
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage,
        },
      });

    return {
      begin: [
        start({
          input_tokens: 1,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
          output_tokens: 1,
        }),
        event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
        event('ping'),
      ].join(''),
      piece: (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
      end(finish, usage) {
        const stop_reason = { stop: 'end_turn', length: 'max_tokens', 'content-filter': 'refusal' }[finish];
        return [
          event('content_block_stop', { index: 0 }),
          event('message_delta', {
            delta: { stop_reason, stop_sequence: null },
            usage: {
              input_tokens: usage.inputTokens - usage.cachedInputTokens, // Anthropic counts cached tokens apart
              cache_read_input_tokens: usage.cachedInputTokens,
              output_tokens: usage.outputTokens,
              output_tokens_details: { thinking_tokens: usage.reasoningTokens },
            },
          }),
          event('message_stop'),
        ].join('');
      },
      overloaded: event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
    };
  },

  error: ({ code, message }) => ({ type: 'error', error: { type: code, message }, request_id: 'req_1' }),
};

function badRequest(message: string): Refusal {
  return { status: 400, code: 'invalid_request_error', message };
}
