import { isListOf, type ModelWire, type Refusal, sse, unknownField } from './wire.ts';

const fields = ['contents', 'systemInstruction', 'generationConfig', 'safetySettings'];
const path = /^\/v1beta\/models\/[\w.-]+:streamGenerateContent\?alt=sse$/;

/** Gemini's `POST /v1beta/models/NAME:streamGenerateContent?alt=sse`. The last chunk carries the finish reason. */
export const googleGenerate: ModelWire = {
  handles: (address) => path.test(address),

  refuse(headers, body, key) {
    if (headers['x-goog-api-key'] !== key) {
      return {
        status: 400,
        code: 'API_KEY_INVALID',
        message: `API key not valid: ${headers['x-goog-api-key']}.`,
      };
    }
    const unknown = unknownField(body, fields);
    if (unknown !== undefined) return badRequest(`Invalid JSON payload received. Unknown name "${unknown}"`);
    const areContents = isListOf(
      body['contents'],
      ({ role, parts }) =>
        (role === 'user' || role === 'model') && isListOf(parts, ({ text }) => typeof text === 'string'),
    );
    return areContents
      ? undefined
      : badRequest('* GenerateContentRequest.contents: contents is not specified');
  },

  frames() {
    const chunk = (candidate: object, more: object = {}) =>
      sse({
        candidates: [{ index: 0, ...candidate }],
        modelVersion: 'gemini-test',
        responseId: 'r1',
        ...more,
      });
    const content = (text: string) => ({ content: { role: 'model', parts: [{ text }] } });

    return {
      begin: '',
      piece: (text) => chunk(content(text), { usageMetadata: { promptTokenCount: 1, totalTokenCount: 1 } }),
      end(finish, usage) {
        const finishReason = { stop: 'STOP', length: 'MAX_TOKENS', 'content-filter': 'SAFETY' }[finish];
        const usageMetadata = {
          promptTokenCount: usage.inputTokens,
          cachedContentTokenCount: usage.cachedInputTokens,
          candidatesTokenCount: usage.outputTokens - usage.reasoningTokens, // Gemini counts thoughts apart
          thoughtsTokenCount: usage.reasoningTokens,
          totalTokenCount: usage.inputTokens + usage.outputTokens,
        };
        return chunk({ ...content(''), finishReason }, { usageMetadata });
      },
      overloaded: sse({ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }),
    };
  },

  error({ status, code, message }) {
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code, domain: 'googleapis.com' },
    ];
    return { error: { code: status, message, status: rpcStatus(status), details } };
  },
};

function badRequest(message: string): Refusal {
  return { status: 400, code: 'INVALID_ARGUMENT', message };
}

function rpcStatus(status: number): string {
  const names: Record<number, string> = {
    400: 'INVALID_ARGUMENT',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    429: 'RESOURCE_EXHAUSTED',
  };
  return names[status] ?? 'INTERNAL';
}
