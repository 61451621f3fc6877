import { describe, expect, test } from 'vitest';
import type { ListedMessage } from './api.ts';
import { candidatesOf, matchParts } from './reconcile.ts';

const createdAt = new Date('2026-05-01T12:00:00Z');
const secondsLater = (seconds: number) => new Date(createdAt.getTime() + seconds * 1_000);

const listed = (sid: string, over: Partial<ListedMessage> = {}): ListedMessage => ({
  sid,
  body: sid,
  mediaCount: 0,
  messagingServiceSid: undefined,
  isOutbound: true,
  createdAt: secondsLater(1),
  ...over,
});

const aPart = (text: string, files = 0) => ({ text, media: Array.from({ length: files }, () => aFile) });
const aFile = { fileId: '', name: '', contentType: '', sizeBytes: 0 } as never;

const sidsOf = (messages: readonly ListedMessage[]) => messages.map(({ sid }) => sid);

describe('what may have been sent', () => {
  const candidates = (all: ListedMessage[], service?: string, externalIds: string[] = []) =>
    sidsOf(candidatesOf(all, { createdAt, externalIds }, service));

  test('is what came after the message was decided on, a minute of clocks allowed, oldest first', () => {
    const all = [
      listed('late', { createdAt: secondsLater(30) }),
      listed('second'),
      listed('first'),
      listed('just', { createdAt: secondsLater(-60) }),
      listed('old', { createdAt: secondsLater(-61) }),
    ];
    expect(candidates(all)).toEqual(['just', 'first', 'second', 'late']);
  });

  test('is neither the person’s, nor another service’s, nor recorded already', () => {
    const all = [
      listed('theirs', { isOutbound: false, messagingServiceSid: 'MG1' }),
      listed('other', { messagingServiceSid: 'MG2' }),
      listed('none'),
      listed('known', { messagingServiceSid: 'MG1' }),
      listed('ours', { messagingServiceSid: 'MG1' }),
    ];
    expect(candidates(all, 'MG1', ['known'])).toEqual(['ours']);
  });

  test('has a time', () => {
    expect(candidates([listed('timeless', { createdAt: new Date(Number.NaN) })])).toEqual([]);
  });
});

describe('a part', () => {
  const match = (texts: (string | [string, number])[], all: ListedMessage[], mayBeTemplate = false) =>
    sidsOf(
      matchParts(
        texts.map((text) => (typeof text === 'string' ? aPart(text) : aPart(...text))),
        all,
        mayBeTemplate,
      ),
    );

  test('is found by its text, up to the first that is not there', () => {
    const all = [listed('1', { body: 'one' }), listed('2', { body: 'two' }), listed('4', { body: 'four' })];
    expect(match(['one', 'two', 'three', 'four'], all)).toEqual(['1', '2']);
    expect(match(['zero', 'one'], all)).toEqual([]);
  });

  test('is found in whichever order equal times were listed, and each message once', () => {
    const all = [listed('2', { body: 'two' }), listed('1', { body: 'one' }), listed('3', { body: 'one' })];
    expect(match(['one', 'two', 'one', 'one'], all)).toEqual(['1', '2', '3']);
  });

  test('is not found by a part of its text', () => {
    expect(match(['one'], [listed('1', { body: 'one two' }), listed('2', { body: 'One' })])).toEqual([]);
  });

  test('is found though Twilio has changed it', () => {
    const bodies = [`Sent from your Twilio trial account - It's "on" - wait...`, `It's "on" - wait...`];
    for (const body of bodies) expect(match(['It’s “on” – wait…'], [listed('1', { body })])).toEqual(['1']);
  });

  test('without a text is found by the number of its files', () => {
    const all = [listed('0', { body: '' }), listed('2', { body: '', mediaCount: 2 })];
    expect(match([['', 2]], all)).toEqual(['2']);
    expect(match([['', 1]], all)).toEqual([]);
  });

  test('in a template is found within it, after what is exactly the text', () => {
    const all = [
      listed('around', { body: 'News: your order is on its way. Reply to us.' }),
      listed('exact', { body: 'your\norder is on its way.' }),
    ];
    expect(match(['your\norder is on its way.'], all, true)).toEqual(['exact']);
    expect(match(['your\norder is on its way.'], all.slice(0, 1), true)).toEqual(['around']);
    expect(match(['your\norder is on its way.'], all.slice(0, 1), false)).toEqual([]);
  });
});
