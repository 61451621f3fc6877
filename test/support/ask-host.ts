import { request } from 'node:http';

export type HostAnswer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  body: any;
};

/** Asks a service under another name than its address, as a browser does whose name server leads there. */
export function askHost(
  { url }: { url: string },
  host: string,
  method: string,
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<HostAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}${path}`,
      {
        method,
        headers: { host, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('end', () => {
          const isJson = /json/.test(response.headers['content-type'] ?? '');
          const { statusCode: status = 0, headers: answered } = response;
          resolve({ status, headers: answered, text, body: isJson ? JSON.parse(text) : undefined });
        });
      },
    );
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
