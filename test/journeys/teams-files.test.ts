import { afterEach, describe, expect, test } from 'vitest';
import { answersIn, contoso, sharedBot, sharedTeamsService } from '../support/a-teams-service.ts';
import { eventually } from '../support/eventually.ts';
import { offerFile } from '../support/offer-file.ts';
import { inTenantOf } from '../support/place-of.ts';

const service = sharedTeamsService();
const bot = sharedBot.appId;
const failed = 'The file could not be handed over. Please ask for it again.';
let number = 0;

afterEach(() => expect(service().teams.violations).toEqual([]));

/** Somebody to whom a file is offered. */
async function anOffer(bytes = 'the report') {
  const { teams, app } = service();
  // The stand-in is none of SharePoint's addresses; so that files go there, it is made one as `swarmgate simulate` does.
  await inTenantOf(service(), 'shop', (unit) =>
    unit.sql(
      `UPDATE swarmgate.channels SET settings = settings || jsonb_build_object('apiUrl', $1::text), version = version + 1`,
      [teams.url],
    ),
  );
  const user = `29:taker-${++number}`;
  const { conversation } = await teams.say(bot, { tenant: contoso, user, text: 'hello' });
  await answersIn(teams, conversation);
  await offerFile(app, { ...{ channel: 'teams', conversationExternalId: `@${user}`, user, bytes } });
  await answersIn(teams, conversation, 3);
  const offer = teams.posts(conversation).at(-1);
  if (!offer) throw new Error('Nothing was offered.');
  const before = { asked: teams.uploads.asked() };
  return {
    conversation,
    take: (repeat = 1) => teams.takeFile(bot, { tenant: contoso, user }, offer, repeat),
    /** How often the file was brought. */
    brought: () => teams.uploads.asked() - before.asked,
    cards: () =>
      teams.posts(conversation).filter(({ activity }) => JSON.stringify(activity).includes('card.file.info')),
    /** The delivery by which it is handed over. */
    async handOver() {
      const { messages, deliveries, conversations } = await service().rows();
      const id = conversations.find(
        (one) => (one as unknown as { external_id: string }).external_id === `@${user}`,
      )?.id;
      const taken = messages.filter(({ conversation_id: at, role }) => at === id && role === 'system');
      return deliveries.filter(({ message_id: of }) => taken.some((message) => message.id === of));
    },
  };
}

describe('a file that somebody takes', () => {
  test('is kept as something to be done before Teams is answered, and handed over once however often Teams tells it', async () => {
    const { teams } = service();
    const { take, brought, cards, handOver } = await anOffer();
    const { status } = await take(3);
    expect(status).toBe(200);
    expect(await handOver()).toHaveLength(1);
    await eventually(async () => expect(await handOver()).toMatchObject([{ state: 'sent' }]));
    expect(teams.uploads.files.get('report.txt')?.toString()).toBe('the report');
    expect([brought(), cards().length]).toEqual([1, 1]);
    const [{ external_ids: parts = [] } = {}] = await handOver();
    expect(parts).toEqual([expect.stringMatching(/^file\//), expect.stringMatching(/\/\d+$/)]);
  });

  test('is brought again while the place where it goes is busy', async () => {
    const { teams } = service();
    const { take, brought, cards, handOver } = await anOffer('another report');
    teams.uploads.fail({ kind: 'status', status: 503 }, { kind: 'status', status: 429 });
    await take();
    await eventually(async () => expect(await handOver()).toMatchObject([{ state: 'sent' }]));
    expect(teams.uploads.files.get('report.txt')?.toString()).toBe('another report');
    expect([brought(), cards().length]).toEqual([3, 1]);
  });

  test('and that cannot be put anywhere is told to them, once, and is a dead letter', async () => {
    const { teams } = service();
    const { conversation, take, brought, cards, handOver } = await anOffer();
    teams.uploads.fail(...Array.from({ length: 5 }, () => ({ kind: 'status' as const, status: 503 })));
    await take();
    await eventually(async () => expect(await handOver()).toMatchObject([{ state: 'failed' }]), 45_000);
    expect(await handOver()).toMatchObject([{ error_code: 'gateway_message_refused' }]);
    expect([brought(), cards().length]).toEqual([5, 0]);
    const texts = await answersIn(teams, conversation, 4);
    expect(texts.at(-1)).toBe(failed);
  }, 90_000);
});
