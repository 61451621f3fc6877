import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ChatEvent, ChatMessage, MessageRole, MessageSource } from '@swarmgate/contract/web-chat.ts';

/** Writes an answer piece by piece; the signal says that the visitor has stopped it. */
export type AnswerScript = (question: string, signal: AbortSignal) => AsyncIterable<string>;

export type SayOptions = {
  inReplyTo?: string;
  clientId?: string;
  sources?: MessageSource[];
  createdAt?: Date;
};

type RunningTurn = { turnId: string; text: string; attempt: number; stop: AbortController };

/** A conversation as the gateway keeps it: its messages, the turn that runs, and who listens. */
export class FakeConversation {
  readonly id = `cnv_${randomUUID().replaceAll('-', '')}`;
  readonly messages: ChatMessage[] = [];
  readonly #streams = new Set<ServerResponse>();
  #turn: RunningTurn | undefined;
  #queue: Promise<void> = Promise.resolve();

  /** Adds a message and tells everybody who listens. */
  say(role: MessageRole, text: string, { createdAt = new Date(), ...more }: SayOptions = {}): ChatMessage {
    const message: ChatMessage = {
      id: `msg_${randomUUID().replaceAll('-', '')}`,
      sequence: this.messages.length + 1,
      role,
      text,
      createdAt: createdAt.toISOString(),
      ...more,
    };
    this.messages.push(message);
    this.#broadcast({ event: 'message', data: message }, message.sequence);
    return message;
  }

  /** Answers a message, after those that came before it. */
  answer(question: ChatMessage, script: AnswerScript, sources?: MessageSource[]): void {
    this.#queue = this.#queue.then(() => this.#runTurn(question, script, sources));
  }

  /** Says once more from the start, as after a worker was lost. */
  beginNewAttempt(): void {
    if (!this.#turn) throw new Error('No turn runs.');
    this.#turn.attempt += 1;
    this.#turn.text = '';
  }

  /** Lets the turn vanish without a word, as when its worker is gone and nobody has taken it up yet. */
  abandonTurn(): void {
    this.#turn = undefined;
  }

  /** Returns whether there was such a turn. */
  cancel(turnId: string): boolean {
    if (this.#turn?.turnId !== turnId) return false;
    this.#turn.stop.abort();
    return true;
  }

  /** Sends what came after an event, what is in the making, and from then on all that happens. */
  listen(stream: ServerResponse, lastEventId: number): void {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    for (const message of this.messages.slice(lastEventId)) {
      write(stream, { event: 'message', data: message }, message.sequence);
    }
    if (!this.#turn) return;
    const { turnId, attempt, text } = this.#turn;
    write(stream, { event: 'delta', data: { turnId, attempt, offset: 0, text } });
  }

  /** Cuts every connection, as a network does. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  get listeners(): number {
    return this.#streams.size;
  }

  async #runTurn(question: ChatMessage, script: AnswerScript, sources?: MessageSource[]): Promise<void> {
    const turn: RunningTurn = {
      turnId: `trn_${randomUUID().replaceAll('-', '')}`,
      text: '',
      attempt: 1,
      stop: new AbortController(),
    };
    this.#turn = turn;
    const { turnId } = turn;
    this.#broadcast({ event: 'turn', data: { turnId, state: 'started' } });
    this.#broadcast({ event: 'typing', data: { turnId } });
    for await (const piece of script(question.text, turn.stop.signal)) {
      if (turn.stop.signal.aborted) break;
      const offset = turn.text.length;
      turn.text += piece;
      this.#broadcast({ event: 'delta', data: { turnId, attempt: turn.attempt, offset, text: piece } });
    }
    this.#turn = undefined;
    this.#broadcast({ event: 'turn', data: { turnId, state: 'finished' } });
    const text = turn.text || 'Stopped.';
    this.say('agent', text, { inReplyTo: question.id, ...(sources && { sources }) });
  }

  #broadcast(event: ChatEvent, id?: number): void {
    for (const stream of this.#streams) write(stream, event, id);
  }
}

function write(stream: ServerResponse, { event, data }: ChatEvent, id?: number): void {
  stream.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
