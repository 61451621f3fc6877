import { isDeepStrictEqual } from 'node:util';
import type { DiscordApp } from '../channel.ts';
import type { DiscordApi } from '../outbound/api.ts';
import type { DiscordTexts } from '../texts.ts';

/** @see https://discord.com/developers/docs/interactions/application-commands */
const kinds = { slash: 1, message: 3 } as const;
const textOption = 3;
/** Where a command is offered: in servers, in the direct messages with the bot. */
const contexts = { server: 0, direct: 1 } as const;
const questionLengthMax = 4_000;
const nameLengthMax = 100;

type Command = { name: string; type: number };

function ourCommands({ ask, askAbout, server }: DiscordTexts['commands']): Command[] {
  const question = {
    ...{ name: 'question', description: ask.question, type: textOption },
    ...{ required: false, max_length: questionLengthMax },
  };
  const everywhere = { contexts: [contexts.server, contexts.direct] };
  const slash = { name: ask.name, description: ask.description, type: kinds.slash, options: [question] };
  const menu = { name: askAbout.name, description: '', type: kinds.message };
  const part = { ...server.part, type: textOption, required: false, max_length: nameLengthMax };
  const choose = {
    ...{ name: server.name, description: server.description, type: kinds.slash, options: [part] },
  };
  return [
    { ...slash, ...everywhere },
    { ...menu, ...everywhere },
    { ...choose, contexts: [contexts.direct] },
  ];
}

/**
 * Gives an app our commands. What is there already and the same is left alone, and so are commands of others. Answers how
 * many were written. @throws {GatewayError}
 */
export async function registerCommands(
  api: DiscordApi,
  app: DiscordApp,
  texts: DiscordTexts['commands'],
  signal: AbortSignal,
): Promise<number> {
  const route = `/applications/${app.applicationId}/commands` as const;
  const there = await api.call<Record<string, unknown>[]>(app, { method: 'GET', route }, signal);
  const missing = ourCommands(texts).filter((command) => !there.some((one) => saysTheSame(one, command)));
  for (const body of missing) await api.call(app, { method: 'POST', route, body }, signal);
  return missing.length;
}

/** Discord adds fields of its own, and leaves out those that are as usual. */
function saysTheSame(there: Record<string, unknown>, wanted: object): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const given = there[name] ?? (Array.isArray(value) ? [] : value);
    return isDeepStrictEqual(simple(given), simple(value));
  });
}

function simple(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((one: unknown) => {
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).filter(([, field]) => field !== false));
  });
}
