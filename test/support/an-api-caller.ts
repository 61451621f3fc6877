import { toWire } from '#domain/ids.ts';
import { operateApiKeys } from '../../src/cli/api-keys.ts';
import type { Service } from './a-service.ts';

export type ApiAnswer = {
  status: number;
  headers: Headers;
  /** As it came; `undefined` where there was none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  body: any;
};

export type ApiCaller = Awaited<ReturnType<typeof anApiCaller>>;

type CallerOptions = Partial<Parameters<typeof operateApiKeys>[1] & { act: 'create' }>;

/** A program with an API key of a tenant (`shop`, unless told otherwise), made as an operator makes one. */
export async function anApiCaller(service: Service, options: CallerOptions = {}) {
  const [made] = await operateApiKeys(service.app.storage, {
    ...{ tenant: 'shop', name: 'a test', ...options },
    act: 'create',
  });
  if (!made?.key) throw new Error('No key was made.');
  const tenantId = await tenantIdOf(service, options.tenant ?? 'shop');
  const call = callerOf(service, made.key);
  return {
    ...{ key: made.key, keyId: made.id, tenantId, call },
    /** A call below the caller's own tenant. */
    own: (method: string, path: string, more: CallOptions = {}) =>
      call(method, `/tenants/${tenantId}${path}`, more),
  };
}

export type CallOptions = { body?: unknown; headers?: Record<string, string> };

/** Calls the API with a credential, or with none. */
export function callerOf({ url }: Pick<Service, 'url'>, credential?: string) {
  return async (method: string, path: string, { body, headers }: CallOptions = {}): Promise<ApiAnswer> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };
}

/** A tenant's id on the wire. */
export async function tenantIdOf({ app }: Service, slug: string): Promise<string> {
  const [row] = await app.storage.scopes.inPlatform((unit) =>
    unit.sql<{ id: string }>('SELECT id FROM directory.tenants WHERE slug = $1', [slug]),
  );
  if (!row) throw new Error(`There is no tenant "${slug}".`);
  return toWire('tenant', row.id);
}
