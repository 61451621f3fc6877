import type { ServerResponse } from 'node:http';
import type { Problem } from '@swarmgate/contract/web-chat.ts';

/** A refusal of a call. */
export class FakeProblem extends Error {
  override readonly name = 'FakeProblem';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  send(response: ServerResponse): void {
    const problem: Problem = {
      type: 'about:blank',
      title: this.code.replaceAll('_', ' '),
      status: this.status,
      detail: this.message,
      code: this.code,
      requestId: 'req_fake',
    };
    response.writeHead(this.status, { 'Content-Type': 'application/problem+json', ...this.headers });
    response.end(JSON.stringify(problem));
  }
}
