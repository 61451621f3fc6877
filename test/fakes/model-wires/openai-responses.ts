import { isListOf, type ModelWire, type Refusal, sse, unknownField } from './wire.ts';

const fields = [
  'model',
  'input',
  'instructions',
  'stream',
  'store',
  'include',
  'max_output_tokens',
  'temperature',
  'reasoning',
  'text',
];
const roles = ['system', 'developer', 'user', 'assistant'];

/** OpenAI's Responses API: `POST /v1/responses`, streamed. It ends with `response.completed` or `.incomplete`. */
export const openaiResponses: ModelWire = {
  handles: (path) => path === '/v1/responses',

  refuse(headers, body, key) {
    if (headers.authorization !== `Bearer ${key}`) {
      return {
        status: 401,
        code: 'invalid_api_key',
        message: `Incorrect API key provided: ${headers.authorization}.`,
      };
    }
    const unknown = unknownField(body, fields);
    if (unknown !== undefined) return badRequest(`Unknown parameter: '${unknown}'.`);
    if (typeof body['model'] !== 'string') return badRequest("Missing required parameter: 'model'.");
    if (body['stream'] !== true) return badRequest('This fake streams only.');
    const isInput = isListOf(
      body['input'],
      ({ role, content }) => roles.includes(String(role)) && content !== '',
    );
    return isInput ? undefined : badRequest("Invalid 'input'.");
  },

  frames(body) {
    const response = {
      id: 'resp_1',
      object: 'response',
      created_at: 1_764_000_000,
      model: body['model'],
      output: [],
    };
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    let text = '';
    let sequence = 0;
    const event = (type: string, data: object) => sse({ type, sequence_number: sequence++, ...data }, type);

    return {
      begin: [
        event('response.created', { response: { ...response, status: 'in_progress' } }),
        event('response.in_progress', { response: { ...response, status: 'in_progress' } }),
        event('response.output_item.added', { output_index: 0, item: message('in_progress', []) }),
        event('response.content_part.added', { ...at, part: outputText('') }),
      ].join(''),
      piece(delta) {
        text += delta;
        return event('response.output_text.delta', { ...at, delta, logprobs: [], obfuscation: 'x' });
      },
      end(finish, usage) {
        const reason = { stop: undefined, length: 'max_output_tokens', 'content-filter': 'content_filter' }[
          finish
        ];
        const status = reason === undefined ? 'completed' : 'incomplete';
        return [
          event('response.output_text.done', { ...at, text, logprobs: [] }),
          event('response.content_part.done', { ...at, part: outputText(text) }),
          event('response.output_item.done', { output_index: 0, item: message(status, [outputText(text)]) }),
          event(`response.${status}`, {
            response: {
              ...response,
              status,
              incomplete_details: reason === undefined ? null : { reason },
              output: [message(status, [outputText(text)])],
              usage: {
                input_tokens: usage.inputTokens,
                input_tokens_details: { cached_tokens: usage.cachedInputTokens },
                output_tokens: usage.outputTokens,
                output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
                total_tokens: usage.inputTokens + usage.outputTokens,
              },
            },
          }),
        ].join('');
      },
      overloaded: sse(
        { type: 'error', code: 'server_error', message: 'Overloaded.', param: null, sequence_number: 9 },
        'error',
      ),
    };
  },

  error: ({ code, message }) => ({ error: { message, type: 'invalid_request_error', param: null, code } }),
};

function badRequest(message: string): Refusal {
  return { status: 400, code: 'invalid_request_error', message };
}

function message(status: string, content: unknown[]) {
  return { id: 'msg_1', type: 'message', role: 'assistant', status, content };
}

function outputText(text: string) {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}
