import { isStepCount, type LanguageModel, type LanguageModelUsage, streamText } from 'ai';
import { ModelError, type ModelEvent, type ModelRequest, type ModelUsage } from './model.ts';
import type { Provider } from './providers.ts';
import { readFailure } from './read-failure.ts';

// The SDK would write warnings to the console, about settings that a model does not know.
globalThis.AI_SDK_LOG_WARNINGS = false;

export type ModelCall = { name: string; model: LanguageModel; options: Provider['options'] };

/** One request, one answer: no retries, no tools, nothing written anywhere but in the events. */
export async function* streamAnswer(
  call: ModelCall,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent, void> {
  signal.throwIfAborted();
  const left = new AbortController();
  const { stream } = streamText({
    model: call.model,
    ...(request.instructions !== '' && { instructions: request.instructions }),
    messages: request.messages.map(({ role, text }) => ({ role, content: text })),
    ...(request.outputTokensMax !== undefined && { maxOutputTokens: request.outputTokensMax }),
    ...(call.options && { providerOptions: call.options }),
    stopWhen: isStepCount(1),
    maxRetries: 0,
    abortSignal: AbortSignal.any([signal, left.signal]),
    onError: () => {}, // it would go to the console, prompt and all; the stream brings it as well
  });

  try {
    for await (const part of stream) {
      signal.throwIfAborted();
      if (part.type === 'text-delta' && part.text !== '') yield { kind: 'text', delta: part.text };
      if (part.type === 'error') throw part.error;
      if (part.type === 'finish') return yield readEnd(call.name, part.finishReason, part.totalUsage);
    }
    throw new ModelError('interrupted', `${call.name} ended its answer without saying so.`);
  } catch (error) {
    signal.throwIfAborted();
    throw readFailure(call.name, error);
  } finally {
    left.abort(); // whoever stops listening closes the connection
  }
}

function readEnd(name: string, finishReason: string, usage: LanguageModelUsage): ModelEvent {
  switch (finishReason) {
    case 'content-filter':
      throw new ModelError('filtered', `${name} withheld its answer by its content filter.`);
    case 'interrupted':
    case 'error':
      throw new ModelError('interrupted', `${name} ended its answer without saying so.`);
    case 'stop':
    case 'length':
      return { kind: 'done', finishReason, usage: readUsage(usage) };
    default:
      return { kind: 'done', finishReason: 'other', usage: readUsage(usage) };
  }
}

function readUsage(usage: LanguageModelUsage): ModelUsage {
  const { inputTokens, outputTokens } = usage;
  const cachedInputTokens = usage.inputTokenDetails.cacheReadTokens;
  const { reasoningTokens } = usage.outputTokenDetails;
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}
