import type { IncomingHttpHeaders } from 'node:http';

/** What a script says about an answer, in no provider's words. */
export type FakeUsage = {
  inputTokens: number;
  outputTokens: number;
  cachedInputTokens: number;
  reasoningTokens: number;
};
export type FakeFinish = 'stop' | 'length' | 'content-filter';

/** One answer as a provider writes it on the wire, frame by frame. */
export type AnswerFrames = {
  begin: string;
  piece(text: string): string;
  end(finish: FakeFinish, usage: FakeUsage): string;
  /** An error that comes inside an answer of status 200. */
  overloaded: string;
};

/** Something that a provider would refuse: its status and code, and the sentence for whoever debugs a test. */
export type Refusal = { status: number; code: string; message: string };

/** How one provider speaks. */
export type ModelWire = {
  handles(path: string): boolean;
  /** Judges the headers and the body as strictly as the provider does. */
  refuse(headers: IncomingHttpHeaders, body: Record<string, unknown>, key: string): Refusal | undefined;
  frames(body: Record<string, unknown>): AnswerFrames;
  /** The body of an answer that is an error. */
  error(refusal: Refusal): unknown;
};

export function sse(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Tells the first field that is not among `known`: providers refuse those, and so must their fake. */
export function unknownField(body: Record<string, unknown>, known: readonly string[]): string | undefined {
  return Object.keys(body).find((field) => !known.includes(field));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a list of at least one object, each of which passes. */
export function isListOf(value: unknown, passes: (item: Record<string, unknown>) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => isRecord(item) && passes(item));
}
