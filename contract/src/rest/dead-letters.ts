import { z } from 'zod';
import { channelPlatforms } from '../channels/catalog.ts';
import { pageOf, pageQuery, pageSizeMax, timestamp } from './common.ts';
import { wireId } from './ids.ts';
import { operations } from './operation.ts';

export const deadLetter = z.strictObject({
  kind: z.enum(['turn', 'delivery']),
  id: z.string().meta({ description: '`trn_…` or `dlv_…`.' }),
  conversationId: wireId('conversationId'),
  channel: z.string().meta({ description: 'The slug of its channel.' }),
  platform: z.enum(channelPlatforms),
  code: z.string(),
  reason: z.string(),
  attempts: z.int(),
  replays: z.int().meta({ description: 'How often somebody had it tried once more.' }),
  at: timestamp,
});

const filters = {
  kind: z.enum(['turn', 'delivery']).optional(),
  code: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'Those that were given up for this reason.' }),
  before: timestamp.optional(),
};

const deadLetterId = z.string().regex(/^(?:trn|dlv)_[0-9a-f]{32}$/);

/** Which of them are meant: by their ids, or by what the filters leave. */
const choice = z.strictObject({
  ...filters,
  ids: z.array(deadLetterId).min(1).max(1_000).optional(),
  limit: z.int().min(1).max(1_000).default(pageSizeMax),
});

const acted = z.strictObject({ items: z.array(deadLetter) });

export const deadLetterOperations = operations({
  listDeadLetters: {
    method: 'get',
    path: '/tenants/{tenantId}/dead-letters',
    tag: 'Dead letters',
    summary: 'List what was given up: answers, and answers on their way; the latest first',
    needs: 'dead-letters:read',
    query: z.strictObject({ ...pageQuery.shape, ...filters }),
    answer: { status: 200, body: pageOf(deadLetter) },
  },
  replayDeadLetters: {
    method: 'post',
    path: '/tenants/{tenantId}/dead-letters/replay',
    tag: 'Dead letters',
    summary: 'Have some tried once more',
    description: 'Answers those that were put back; they run within seconds.',
    needs: 'dead-letters:write',
    body: choice,
    answer: { status: 200, body: acted },
  },
  purgeDeadLetters: {
    method: 'post',
    path: '/tenants/{tenantId}/dead-letters/purge',
    tag: 'Dead letters',
    summary: 'Put some away: they are not listed any more',
    needs: 'dead-letters:write',
    body: choice,
    answer: { status: 200, body: acted },
  },
});
