import { expect, test } from 'vitest';
import { readQuestion, recogniseSmallTalk } from './intents.ts';

test.each([
  ['Hi', 'greeting'],
  ['hello there!', 'greeting'],
  ['Good morning, team 👋', 'greeting'],
  ['Hey, how are you?', 'greeting'],
  ['Thanks a lot!!', 'thanks'],
  ['ok, great, thank you very much', 'thanks'],
  ['got it, thx', 'thanks'],
  ['bye', 'farewell'],
  ['See you later', 'farewell'],
  ['/help', 'help'],
  ['What can you do?', 'help'],
  ['Who are you?', 'help'],
  ['are you a bot or what', undefined],
  ['Are you an AI?', 'help'],
  ['Are you a real person?', 'help'],
] as const)('"%s" is %s', (message, smallTalk) => {
  expect(recogniseSmallTalk(message)).toBe(smallTalk);
});

test.each([
  'Hi, how do I install it?',
  'Thanks for nothing, the install failed',
  'help me with the installation',
  'What can you do about a power cut?',
  'cool down period for refunds',
  'hi'.repeat(60),
  '',
])('"%s" is no small talk', (message) => {
  expect(recogniseSmallTalk(message)).toBeUndefined();
});

test.each([
  ['Hi there, how do I install it?', 'how do I install it?'],
  ['hello! what is Swarmgate?', 'what is Swarmgate?'],
  ['I tried Docker. It failed. Which port does it use? Thanks.', 'Which port does it use?'],
  ['Which version, e.g. v1.2, is it? And why?', 'Which version, e.g. v1.2, is it? And why?'],
  ['reset password', 'reset password'],
  ['Highlights of the release', 'Highlights of the release'],
])('of "%s", "%s" is looked up', (message, question) => {
  expect(readQuestion(message)).toBe(question);
});
