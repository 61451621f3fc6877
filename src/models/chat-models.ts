import { createGuardedFetch } from '#kernel/guarded-fetch.ts';
import { type ChatModels, type ModelAccess, ModelError } from './model.ts';
import { createModelFetch } from './model-fetch.ts';
import { isProviderName, type Provider, type ProviderName, providers } from './providers.ts';
import { streamAnswer } from './stream-answer.ts';

export type ChatModelsParts = {
  /** The keys and addresses of the operator's environment. Its addresses are trusted. */
  platform: Readonly<Partial<Record<ProviderName, ModelAccess>>>;
  /** For the platform's addresses. */
  fetch?: typeof globalThis.fetch;
  /** For addresses that tenants give; by default one that opens nothing but the public internet. */
  guardedFetch?: typeof globalThis.fetch;
  idleTimeoutMs?: number;
};

/** How long a model may send nothing, unless an agent says otherwise. */
const idleTimeoutMsDefault = 60_000;

/** Makes the models of this process: OpenAI, Anthropic, Google, and every server that speaks OpenAI's chat completions. */
export function createChatModels(parts: ChatModelsParts): ChatModels {
  const { fetch = globalThis.fetch, idleTimeoutMs = idleTimeoutMsDefault } = parts;
  const guardedFetch = parts.guardedFetch ?? createGuardedFetch();

  return {
    open(name, own = {}) {
      const [providerName, model] = parseName(name);
      const provider = providers[providerName];
      const { apiKey, baseURL } = chooseAccess(name, provider, parts.platform[providerName] ?? {}, own);
      const reach = own.baseUrl === undefined ? fetch : guardedFetch;

      return {
        name,
        stream: (request, signal) => {
          const modelFetch = createModelFetch(name, reach, request.idleTimeoutMs ?? idleTimeoutMs);
          const connection = { apiKey, baseURL, fetch: modelFetch };
          const call = { name, model: provider.connect(model, connection), options: provider.options };
          return streamAnswer(call, request, signal);
        },
      };
    },
  };
}

// Google's SDK puts the model's name into the path of its URL.
const modelPattern = /^[A-Za-z0-9][\w.:@-]*(?:\/[A-Za-z0-9][\w.:@-]*)*$/;

function parseName(name: string): [ProviderName, string] {
  const slash = name.indexOf('/');
  const provider = name.slice(0, Math.max(slash, 0));
  const model = name.slice(slash + 1);
  if (!isProviderName(provider)) {
    throw new ModelError(
      'not_configured',
      `"${name}" names no model: it begins with none of ${Object.keys(providers).join('/, ')}/.`,
    );
  }
  if (!modelPattern.test(model))
    throw new ModelError('not_configured', `"${name}" is not the name of a model.`);
  return [provider, model];
}

/** The tenant's address goes with the tenant's key only: the platform's must not reach a server that a tenant names. */
function chooseAccess(name: string, provider: Provider, platform: ModelAccess, own: ModelAccess) {
  const apiKey = own.apiKey ?? (own.baseUrl === undefined ? platform.apiKey : undefined);
  const baseUrl = own.baseUrl ?? platform.baseUrl ?? provider.baseUrl;
  if (baseUrl === undefined) throw new ModelError('not_configured', `There is no base URL for ${name}.`);
  if (!URL.canParse(baseUrl)) throw new ModelError('not_configured', `The base URL of ${name} is not a URL.`);
  if (apiKey === undefined && provider.needsKey)
    throw new ModelError('not_configured', `There is no key for ${name}.`);
  return { apiKey: apiKey ?? '', baseURL: withVersionPath(baseUrl, provider.versionPath) };
}

// People give `http://localhost:11434` as often as `http://localhost:11434/v1`.
function withVersionPath(baseUrl: string, versionPath: string): string {
  const trimmed = baseUrl.replace(/\/+$/, '');
  return new URL(trimmed).pathname === '/' ? trimmed + versionPath : trimmed;
}
