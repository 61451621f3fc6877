import { newId, type Uuid } from '#domain/ids.ts';
import type { Channel } from '#gateways/gateway.ts';
import type { Scopes } from '#tenancy/scopes.ts';
import { columnsOf, createCallTogether, inOrder } from './call-together.ts';

/** Deliveries as the database keeps them. A claim is to a delivery what a lease is to a conversation. */
export type DeliveryJournal = ReturnType<typeof createDeliveryJournal>;

export type OpenDelivery = {
  tenantId: Uuid;
  deliveryId: Uuid;
  claim: number;
  attempt: number;
  /** How many of the attempts were put off and were no failure. */
  deferrals: number;
  interrupted: boolean;
  createdAtMs: number;
  /** Since when it has been trying: since it was made, or last replayed. */
  queuedAtMs: number;
  /** `null`: nobody has written in the conversation. */
  lastInboundAtMs: number | null;
  message: {
    id: Uuid;
    role: 'agent' | 'operator' | 'system';
    text: string;
    content: Record<string, unknown>;
  };
  turnId: Uuid | null;
  conversation: { id: Uuid; externalId: string };
  participant: { externalId: string };
  channel: { id: Uuid; platform: Channel['platform'] };
  externalIds: string[];
};

export type DeliveryFailure = { code: string; reason: string };

export type DeliveryOutcome =
  /** `doubled`: an earlier attempt may have arrived too, and the platform could not tell. */
  | { state: 'sent'; externalIds: readonly string[]; doubled: boolean }
  /**
   * To be tried again. `deferred`: it was put off, which is no failure; `uncertain`: the platform gave no answer, so that
   * the next attempt has to look first.
   */
  | { state: 'pending'; delayMs: number; deferred: boolean; uncertain: boolean; error: DeliveryFailure }
  | { state: 'failed'; uncertain: boolean; error: DeliveryFailure };

type FoundDelivery = Omit<OpenDelivery, 'tenantId'> | null;
type Recorded = { next: FoundDelivery } | null;
type Outcome = { delivery: OpenDelivery; outcome: DeliveryOutcome; takeNext: boolean };

export function createDeliveryJournal(
  scopes: Scopes,
  { holder, claimMs }: { holder: string; claimMs: number },
) {
  const recordAll = async (items: readonly Outcome[]): Promise<Recorded[]> => {
    const rows = await scopes.call<{ ordinal: number; result: Recorded }>('swarmgate.record_deliveries_v1', [
      ...columnsOf(items, ...recordColumns),
      holder,
      claimMs,
    ]);
    return inOrder(rows, items.length, ({ result }) => result);
  };
  const record = createCallTogether<Outcome, Recorded>({
    together: recordAll,
    alone: async (item) => (await recordAll([item]))[0] ?? null,
  });

  return {
    /** Claims the first delivery of a conversation that is due and that nobody is sending. */
    async begin(tenantId: Uuid, conversationId: Uuid): Promise<OpenDelivery | undefined> {
      const [row] = await scopes.call<{ begin_delivery_v1: FoundDelivery }>('swarmgate.begin_delivery_v1', [
        tenantId,
        conversationId,
        holder,
        claimMs,
      ]);
      return open(tenantId, row?.begin_delivery_v1);
    },

    /** The same, and before its time what was put off under this claim, if nobody has claimed it since. */
    async beginPutOff({
      tenantId,
      conversationId,
      deliveryId,
      claim,
    }: {
      tenantId: Uuid;
      conversationId: Uuid;
      deliveryId: Uuid;
      claim: number;
    }): Promise<OpenDelivery | undefined> {
      const parameters = [tenantId, conversationId, deliveryId, claim, holder, claimMs];
      const [row] = await scopes.call<{ begin_put_off_delivery_v1: FoundDelivery }>(
        'swarmgate.begin_put_off_delivery_v1',
        parameters,
      );
      return open(tenantId, row?.begin_put_off_delivery_v1);
    },

    /** Keeps the platform's id of a part. False: the claim is lost. */
    async keepPart(
      { tenantId, deliveryId, claim }: OpenDelivery,
      number: number,
      externalId: string,
      segments: number | undefined,
    ): Promise<boolean> {
      const [row] = await scopes.call<{ keep_delivery_part_v1: boolean }>('swarmgate.keep_delivery_part_v1', [
        tenantId,
        deliveryId,
        claim,
        number,
        externalId,
        segments ?? null,
      ]);
      return row?.keep_delivery_part_v1 ?? false;
    },

    /** Records what became of a delivery and, with `takeNext`, claims the next one. `undefined`: the claim is lost, nothing was written. */
    async record(
      delivery: OpenDelivery,
      outcome: DeliveryOutcome,
      takeNext: boolean,
    ): Promise<{ next: OpenDelivery | undefined } | undefined> {
      const recorded = await record({ delivery, outcome, takeNext });
      return recorded ? { next: open(delivery.tenantId, recorded.next) } : undefined;
    },
  };
}

function open(tenantId: Uuid, found: FoundDelivery | undefined): OpenDelivery | undefined {
  return found ? { ...found, tenantId } : undefined;
}

const recordColumns: readonly ((item: Outcome) => unknown)[] = [
  ({ delivery }) => delivery.tenantId,
  ({ delivery }) => delivery.conversation.id,
  ({ delivery }) => delivery.deliveryId,
  ({ delivery }) => delivery.claim,
  ({ outcome }) => outcome.state,
  // An array of arrays would have to be of one length.
  ({ outcome }) => JSON.stringify(outcome.state === 'sent' ? outcome.externalIds : []),
  ({ outcome }) => (outcome.state === 'pending' ? Math.round(outcome.delayMs) : 0),
  ({ outcome }) => outcome.state === 'pending' && outcome.deferred,
  ({ outcome }) => outcome.state !== 'sent' && outcome.uncertain,
  ({ outcome }) => outcome.state === 'sent' && outcome.doubled,
  ({ outcome }) => (outcome.state === 'sent' ? null : outcome.error.code),
  ({ outcome }) => (outcome.state === 'sent' ? null : outcome.error.reason),
  () => newId(),
  ({ takeNext }) => takeNext,
];
