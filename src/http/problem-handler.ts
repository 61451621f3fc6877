import type { Problem } from '@swarmgate/contract/web-chat.ts';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { AppError } from '#domain/errors.ts';
import { currentContext } from '#kernel/context.ts';
import type { Logger } from '#kernel/logger.ts';
import type { Metrics } from '#kernel/metrics.ts';
import { ProblemError } from '#kernel/problem.ts';

export const answerNotFound: RequestHandler = (request) => {
  throw new ProblemError(
    404,
    'not_found',
    'Not found',
    `There is nothing at ${request.method} ${request.path.slice(0, 200)}.`,
  );
};

/** The one place where an error becomes an answer: RFC 9457, one log line, nothing of ours in the text. */
export function answerProblem(logger: Logger, metrics: Metrics): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const problem = toProblem(error);
    metrics.rejected(problem.code);
    const fields = {
      code: problem.code,
      status: problem.status,
      method: request.method,
      path: request.path.slice(0, 200),
    };
    if (problem.status >= 500) logger.error({ ...fields, err: error }, 'a request failed');
    else logger.info(fields, 'a request was refused');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body: Problem = {
      type: 'about:blank',
      title: problem.title,
      status: problem.status,
      detail: problem.message,
      code: problem.code,
      requestId: currentContext().requestId ?? '',
      ...(problem.errors.length > 0 && { errors: [...problem.errors] }),
    };
    response
      .status(problem.status)
      .set({ 'Cache-Control': 'no-store', ...problem.headers })
      .type('application/problem+json')
      .send(JSON.stringify(body));
  };
}

function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { type } = error as { type?: string };
  switch (type) {
    case 'entity.too.large':
      return new ProblemError(
        413,
        'body_too_large',
        'Body too large',
        'The body is larger than this call takes.',
      );
    case 'entity.parse.failed':
      return new ProblemError(400, 'invalid_json', 'Invalid JSON', 'The body is not valid JSON.');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new ProblemError(
        415,
        'unsupported_encoding',
        'Unsupported encoding',
        'Send the body as UTF-8, plain or with gzip, deflate or br.',
      );
    case 'request.aborted':
    case 'request.size.invalid':
      return new ProblemError(
        400,
        'incomplete_body',
        'Incomplete body',
        'The body ended before its announced length.',
      );
  }
  const { status } = error as { status?: number };
  if (error instanceof URIError || status === 400)
    return new ProblemError(400, 'bad_request', 'Bad request', 'The request cannot be read.');
  if (error instanceof AppError && error.retry === 'later') {
    return new ProblemError(
      503,
      error.code,
      'Unavailable',
      'The service cannot do this right now; try again shortly.',
      { 'Retry-After': '2' },
    );
  }
  return new ProblemError(
    500,
    'internal',
    'Internal error',
    'Something went wrong on our side; the request id helps to find it.',
  );
}
