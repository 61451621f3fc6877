import { createInterface } from 'node:readline/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { readConfig } from '#config/config.ts';
import { readEnv } from '#config/env.ts';
import { AppError } from '#domain/errors.ts';
import type { SetExitCode } from './exit-code.ts';
import { firstSignal } from './first-signal.ts';
import { operate } from './operate.ts';
import type { Simulation } from './simulation.ts';

const platforms: Readonly<Record<string, (tenant: string) => Promise<Simulation>>> = {
  // Loaded only when they are asked for.
  slack: async (tenant) => (await import('./simulate-slack.ts')).simulateSlack(tenant),
  discord: async () => (await import('./simulate-discord.ts')).simulateDiscord(),
  teams: async (tenant) => (await import('./simulate-teams.ts')).simulateTeams(tenant),
  twilio: async (tenant) => (await import('./simulate-twilio.ts')).simulateTwilio(tenant),
};

const spoken: Readonly<Record<string, string>> = {
  slack: 'Slack',
  discord: 'Discord',
  teams: 'Microsoft Teams',
  twilio: 'SMS',
};

const answerWithinMs = 30_000;
const lookEveryMs = 100;
const noAnswerHint = 'Does the service run with the role worker? Its log says what became of the message.';

type Flags = { tenant: string; url?: string };

export function addSimulateCommand(program: Command, setExitCode: SetExitCode): void {
  const simulate = program
    .command('simulate')
    .description(
      'try a channel without an account: a stand-in for the platform, against the running service',
    );
  for (const [platform, begin] of Object.entries(platforms)) {
    simulate
      .command(platform)
      .description(`talk to a tenant's agent as if over ${spoken[platform] ?? platform}`)
      .argument('[message]', 'what to say; without it you are asked, line by line')
      .option('--tenant <slug>', 'whose agent', 'demo')
      .option('--url <url>', 'where the service runs on this machine, when it runs on a Postgres server')
      .action(async (message: string | undefined, flags: Flags) => {
        if (message?.trim() === '')
          throw new AppError('bad_option', 'There is nothing to say: the message is empty.');
        setExitCode(await run(begin, message, flags));
      });
  }
}

type Begin = (typeof platforms)[string];

async function run(begin: Begin, message: string | undefined, flags: Flags): Promise<0 | 1> {
  const config = readConfig(readEnv());
  const { tenant } = flags;
  // Heard before there is anything to take back.
  const interrupted = new AbortController();
  void firstSignal().then((signal) => interrupted.abort(signal));
  const simulation = await begin(tenant);
  const { channel, apiUrl } = simulation;
  try {
    const opened = await operate(config, {
      command: 'open-simulation',
      simulated: { tenant, channel, apiUrl },
    });
    simulation.connect({ key: opened.key, url: flags.url ?? opened.url });
    try {
      // Breaking off a conversation is one way to end it; a question that was asked has no answer then.
      return await Promise.race([
        untilAborted(interrupted.signal).then(() => (message === undefined ? 0 : 1)),
        message === undefined ? converse(simulation, interrupted) : askOnce(simulation, message),
      ]);
    } finally {
      await operate(config, { command: 'close-simulation', tenant, slug: channel.slug });
    }
  } finally {
    await simulation.close();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function hintOf({ silence }: Simulation): string {
  return silence === undefined ? noAnswerHint : `${noAnswerHint} ${silence}`;
}

async function askOnce(simulation: Simulation, message: string): Promise<0 | 1> {
  const answered = new Promise<0>((resolve) =>
    simulation.onAnswer((text) => {
      console.log(text);
      resolve(0);
    }),
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<1>((resolve) => {
    timer = setTimeout(() => {
      console.error(`There was no answer within ${answerWithinMs / 1_000} s. ${hintOf(simulation)}`);
      resolve(1);
    }, answerWithinMs);
  });
  await simulation.say(message);
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}

async function converse(simulation: Simulation, interrupted: AbortController): Promise<0 | 1> {
  console.log(`${simulation.introduction}\nWrite something, Ctrl-D to end.`);
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  // A terminal that gives each key (raw mode) sends no signal.
  lines.once('SIGINT', () => interrupted.abort());
  let ended = false;
  lines.once('close', () => {
    ended = true;
  });
  const prompt = () => {
    if (!ended) lines.prompt();
  };
  let unanswered = 0;
  simulation.onAnswer((text) => {
    unanswered -= 1;
    console.log(`\n${text}\n`);
    prompt();
  });
  prompt();
  for await (const line of lines) {
    if (line.trim() === '') continue;
    unanswered += 1;
    await simulation.say(line);
    prompt();
  }
  // What was asked by a pipe is answered before it ends.
  const giveUpAt = Date.now() + answerWithinMs;
  while (unanswered > 0 && Date.now() < giveUpAt && !process.stdin.isTTY) await pause(lookEveryMs);
  if (unanswered <= 0 || process.stdin.isTTY) return 0;
  console.error(`${unanswered} got no answer. ${hintOf(simulation)}`);
  return 1;
}
