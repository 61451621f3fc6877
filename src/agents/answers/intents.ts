import { splitSentences } from '../knowledge/split-sentences.ts';

/** What a message wants that no document answers. */
export type SmallTalk = 'greeting' | 'thanks' | 'farewell' | 'help';

/** Recognises messages that are nothing but small talk. A greeting before a question is a question. */
export function recogniseSmallTalk(message: string): SmallTalk | undefined {
  if (message.length > 80) return undefined;
  const words = message
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[^\p{L}\p{N}' ]+/gu, ' ')
    .replace(/ +/g, ' ')
    .trim();
  return smallTalk.find(([, pattern]) => pattern.test(words))?.[0];
}

/** What is to be looked up: the message without a greeting; of several sentences, the questions. */
export function readQuestion(message: string): string {
  const text = message.trim().replace(openingGreeting, '');
  const questions = splitSentences(text).filter((sentence) => sentence.endsWith('?'));
  return questions.length > 0 ? questions.join(' ') : text;
}

const greetings =
  'hi|hello|hey|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)|hallo|moin|hola|bonjour|ciao';
const company = 'there|all|everyone|team|bot|assistant|friend|again|today|you|to';

const smallTalk: readonly [SmallTalk, RegExp][] = [
  ['greeting', only(`${greetings}|how are you(?: doing)?|what's up|sup|nice to meet you`, company)],
  [
    'thanks',
    only(
      'thanks|thank you|thx|ty|cheers|much appreciated|that helped|that helps|got it|perfect|great|awesome|cool|ok|okay|danke|merci|gracias',
      'a lot|very much|so much|again|for your help|for the help|that was helpful|then|you',
    ),
  ],
  [
    'farewell',
    only(
      'bye|goodbye|bye bye|see you|see ya|good night|have a nice day|tschüss|adios|au revoir',
      'then|later|all|now',
    ),
  ],
  [
    'help',
    only(
      'help|help me|menu|what can you do|what do you do|what can i ask|what can i do here|who are you|what are you|how do you work|how does this work|are you (?:a |an )?(?:bot|robot|ai|human|person|machine|real|llm|chatgpt)',
      'please|for me|you|here|exactly|person',
    ),
  ],
];

const openingGreeting = new RegExp(
  `^(?:${greetings})(?: (?:there|all|everyone|team|bot|assistant))?[\\s,.!:-]+(?=\\S)`,
  'i',
);

/** Nothing but these phrases, each with any of the words that go along with it. */
function only(phrases: string, companions: string): RegExp {
  return new RegExp(`^(?:(?:${phrases})(?: (?:${companions}))*(?: (?=\\S)|$))+$`);
}
