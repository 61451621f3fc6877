import type { Request } from 'express';
import { networkOf } from '#kernel/network-of.ts';
import { tooManyRequests } from '#kernel/problem.ts';
import type { CountCalls } from './api-parts.ts';

/** How many calls a minute one network may make with credentials that are not good, or not enough. */
const refusalsPerMinute = 60;

/** Counts a refusal that costs us something, before it does. @throws {ProblemError} 429 */
export async function countRefusal(countCalls: CountCalls, request: Request): Promise<void> {
  const count = await countCalls(`api refused ${networkOf(request.ip ?? '')}`, refusalsPerMinute);
  if (!count.allowed) throw tooManyRequests(count.retryAfterMs, 'Too many calls without good credentials.');
}
