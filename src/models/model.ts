/**
 * The front door of the language models. Providers sit behind it; no other folder knows their SDKs.
 */

export { ModelError, type ModelFailure } from './model-error.ts';

/** One entry of what a model reads. Instructions travel apart, never in here. */
export type ModelMessage = { role: 'user' | 'assistant'; text: string };

/** Token counts as the provider reported them; absent where it reported none. */
export type ModelUsage = {
  inputTokens?: number;
  outputTokens?: number;
  cachedInputTokens?: number;
  reasoningTokens?: number;
};

export type ModelRequest = {
  instructions: string;
  messages: readonly ModelMessage[];
  /** Upper bound of the answer; the provider's default when absent. */
  outputTokensMax?: number;
  /** How long the provider may send nothing, before its first byte and between two; the default when absent. */
  idleTimeoutMs?: number;
};

export type ModelEvent =
  | { kind: 'text'; delta: string }
  /** `length`: the answer reached its upper bound and is not whole. */
  | { kind: 'done'; finishReason: 'stop' | 'length' | 'other'; usage: ModelUsage };

/** A chat model that was opened with its key. `name` is the full name, e.g. `openai/gpt-5`. */
export interface ChatModel {
  readonly name: string;
  /**
   * Streams one answer; the last event is `done`, and without it the answer is not whole. Ends by an exception of type
   * {@link ModelError} when the provider fails, filters or stays silent, and by the signal's reason when `signal`
   * aborts. Never retries by itself: the caller keeps the attempts.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}

/** Where a model is found and with what key. The key is never logged. */
export type ModelAccess = { apiKey?: string; baseUrl?: string };

/** Opens models by their full name (`openai/NAME`, `anthropic/NAME`, `google/NAME`, `compatible/NAME`). */
export interface ChatModels {
  /**
   * `own` is the tenant's key and base URL; it goes before the platform's, whose key is never sent to an address of a
   * tenant's. Throws `ModelError` of kind `not_configured` when no key or address is known for the model, or when the
   * provider is unknown. A tenant's address that may not be called from here fails in the same way when it is called.
   */
  open(name: string, own?: ModelAccess): ChatModel;
}
