export type Account = {
  accountSid: string;
  authToken: string;
  /** More calls than that in a second are answered with 429. The simulator's own limit when absent. */
  requestsPerSecondMax?: number;
};

export type NumberKind = 'long_code' | 'short_code' | 'whatsapp';

/** A number that messages are sent from and to. Added again, it moves: a number has one account at a time. */
export type SenderNumber = {
  accountSid: string;
  /** `+15550001`, a short code, or `whatsapp:+15550001`. */
  number: string;
  kind: NumberKind;
  /** What is called when somebody writes to it; may end in connection overrides such as `#rc=2&rp=all`. */
  smsUrl?: string;
  /** How fast its queue empties. The simulator's own pace when absent. */
  segmentsPerSecond?: number;
};

export type MessagingService = {
  accountSid: string;
  sid: string;
  numbers: readonly string[];
  /** Called instead of the numbers' own `smsUrl`. */
  inboundUrl?: string;
  /** Used for messages that name no StatusCallback. */
  statusCallback?: string;
  advancedOptOut?: boolean;
};

/** An approved WhatsApp template: `Hello {{1}}`. */
export type ContentTemplate = { accountSid: string; sid: string; body: string };

export type World = ReturnType<typeof createWorld>;

/** Who has an account, which numbers and services it has. */
export function createWorld() {
  const accounts = new Map<string, Account>();
  const numbers = new Map<string, SenderNumber>();
  const services = new Map<string, MessagingService>();
  const templates = new Map<string, ContentTemplate>();

  const accountOf = ({ accountSid }: { accountSid: string }) => {
    if (!accounts.has(accountSid)) throw new TypeError(`There is no account ${accountSid}.`);
  };

  return {
    addAccount(account: Account): void {
      accounts.set(account.accountSid, account);
    },
    addNumber(number: SenderNumber): void {
      accountOf(number);
      const prefixed = number.kind === 'whatsapp' && !isWhatsApp(number.number);
      const name = prefixed ? `whatsapp:${number.number}` : number.number;
      numbers.set(name, { ...number, number: name });
    },
    addMessagingService(service: MessagingService): void {
      accountOf(service);
      for (const member of service.numbers) {
        if (numbers.get(member)?.accountSid !== service.accountSid)
          throw new TypeError(`${member} is not a number of the service's account.`);
      }
      services.set(service.sid, service);
    },
    addContent(template: ContentTemplate): void {
      accountOf(template);
      templates.set(template.sid, template);
    },

    account: (accountSid: string) => accounts.get(accountSid),
    number: (number: string) => numbers.get(number),
    service: (sid: string) => services.get(sid),
    template: (sid: string) => templates.get(sid),
    hasTemplates: (accountSid: string) =>
      [...templates.values()].some((one) => one.accountSid === accountSid),
    /** The service whose pool a number is in. */
    serviceOf: (number: SenderNumber) =>
      [...services.values()].find(
        (service) => service.accountSid === number.accountSid && service.numbers.includes(number.number),
      ),
  };
}

export function isWhatsApp(address: string): boolean {
  return address.startsWith('whatsapp:');
}
