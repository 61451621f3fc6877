import { createHash, randomBytes, randomInt } from 'node:crypto';
import { twilioChannel } from '@swarmgate/contract/channels/twilio.ts';
import { startTwilioSimulator } from '../simulators/twilio/simulator.ts';
import { type Simulation, SimulationRefusedError } from './simulation.ts';

const number = '+15550000001';
const lookEveryMs = 100;

/** You, with a phone that exists on this machine only. */
export async function simulateTwilio(tenant: string): Promise<Simulation> {
  // Each tenant's own: a number of an account belongs to one channel.
  const accountSid = `AC${createHash('sha256').update(tenant).digest('hex').slice(0, 32)}`;
  const twilio = await startTwilioSimulator();
  // Somebody else each time: who wrote STOP the last time has not written it now.
  const you = `+1555${randomInt(1_000_000, 9_999_999)}`;
  const authToken = randomBytes(16).toString('hex');
  twilio.addAccount({ accountSid, authToken });
  let timer: NodeJS.Timeout | undefined;

  return {
    channel: twilioChannel.parse({
      slug: 'simulated-twilio',
      platform: 'twilio',
      accountSid,
      authToken,
      number,
    }),
    apiUrl: twilio.url,
    introduction: `You (${you}) write text messages to ${number}, over a simulated Twilio.`,
    silence: 'Who has written STOP gets no answers.',
    connect({ key, url }) {
      const smsUrl = `${url}/webhooks/twilio/${key}/messages`;
      twilio.addNumber({ accountSid, number, kind: 'long_code', smsUrl });
    },
    async say(body) {
      const deliveries = await twilio.text({ from: you, to: number, body });
      const last = deliveries.at(-1);
      if (last?.status !== 200) throw new SimulationRefusedError(last?.status ?? 0);
    },
    onAnswer(show) {
      const shown = new Set<object>();
      timer = setInterval(() => {
        for (const one of [...twilio.sent({ to: you }), ...twilio.twilioReplies]) {
          if (shown.has(one)) continue;
          shown.add(one);
          show(one.body);
        }
      }, lookEveryMs);
    },
    async close() {
      clearInterval(timer);
      await twilio.close();
    },
  };
}
