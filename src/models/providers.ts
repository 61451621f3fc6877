import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel, streamText } from 'ai';

export type ProviderName = 'openai' | 'anthropic' | 'google' | 'compatible';

type ProviderOptions = NonNullable<Parameters<typeof streamText>[0]['providerOptions']>;

/** What an SDK needs for one call. Everything is given: SDKs read the environment for what is not. */
export type Connection = { apiKey: string; baseURL: string; fetch: typeof globalThis.fetch };

export type Provider = {
  /** Its public address; absent where there is no such thing. */
  baseUrl?: string;
  /** What an address that was given without a path stands for. */
  versionPath: string;
  /** False where servers without a key are common (Ollama, vLLM, LM Studio). */
  needsKey: boolean;
  connect(model: string, connection: Connection): LanguageModel;
  options?: ProviderOptions;
};

export const providers: Readonly<Record<ProviderName, Provider>> = {
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    versionPath: '/v1',
    needsKey: true,
    connect: (model, connection) => createOpenAI(connection).responses(model),
    // The Responses API keeps conversations for 30 days unless it is told not to.
    options: { openai: { store: false } },
  },
  anthropic: {
    baseUrl: 'https://api.anthropic.com/v1',
    versionPath: '/v1',
    needsKey: true,
    connect: (model, connection) => createAnthropic(connection).messages(model),
  },
  google: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    versionPath: '/v1beta',
    needsKey: true,
    connect: (model, connection) => createGoogle(connection).chat(model),
  },
  compatible: {
    versionPath: '/v1',
    needsKey: false,
    connect: (model, connection) =>
      createOpenAICompatible({ ...connection, name: 'compatible', includeUsage: true }).chatModel(model),
  },
};

export function isProviderName(name: string): name is ProviderName {
  return Object.hasOwn(providers, name);
}
