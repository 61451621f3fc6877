import { AppError } from '#domain/errors.ts';

/** Every text that the system itself says to people, in English. Texts are markdown. */
export const texts = {
  stopped: 'Stopped.',
  /** Behind an answer that its model did not finish, because it reached the bound of its length. */
  cutOff: '_(The answer ends here because it reached its length limit.)_',

  /** `builtin/answers`, the agent without a model. */
  answers: {
    greeting:
      'Hello! Ask me a question and I will look it up in the documents here. I work without a language model: I quote what is written, and I say so when I find nothing.',
    thanks: 'You are welcome. Is there anything else I can look up?',
    farewell: 'Goodbye!',
    help: 'I answer questions from the documents that I was given. I work without a language model: I search, quote the best passage word for word and link where it stands. Short questions in the words of the documents work best.',
    alsoRelevant: 'Also relevant',
    notSure: 'I am not sure that the documents answer this. The closest passages are:',
    notFound:
      'I did not find an answer to this in the documents that I have. I work without a language model, so I can only quote what is written there.',
    closest: 'The closest titles are:',
    noDocuments: 'There are no documents for me to answer from yet, so I cannot answer questions.',
    nothingToLookUp:
      'I did not find a word in your message that I could look up. Please ask in a few more words.',
  },
} as const;

/** The one sentence for a visitor whose message gets no answer: what happened, and whether it helps to try again. */
export function failureMessage(error: unknown): string {
  const code = error instanceof AppError ? error.code : '';
  return (
    failures[code] ?? 'Something went wrong on our side and your message was not answered. Please try again.'
  );
}

const failures: Readonly<Record<string, string>> = {
  model_rate_limited:
    'The assistant is very busy and could not get to your message. Please try again in a few minutes.',
  model_unavailable:
    'The language model behind this assistant cannot be reached. Please try again in a few minutes.',
  model_timeout: 'The language model behind this assistant took too long to answer. Please try again.',
  model_interrupted:
    'The connection to the language model broke before the answer was complete. Please try again.',
  model_refused_key:
    'The assistant cannot answer: its language model refuses the access that it was given. The people who run this chat have to mend that.',
  model_bad_request:
    'The language model behind this assistant did not accept the request. The people who run this chat have to look into it.',
  model_not_configured:
    'The assistant cannot answer: its language model is not set up. The people who run this chat have to complete that.',
  model_filtered:
    'The provider of the language model withheld the answer under its content rules. Other words may help.',
  no_agent: 'Nobody is set up to answer here yet. The people who run this chat have to complete that.',
};

/** What the Slack gateway itself says. Plain text. */
export const slackTexts = {
  working: 'is writing an answer …',
  sources: 'Sources',
  home: {
    about: (agent: string) => `${agent} answers your questions here in Slack.`,
    ways: [
      'Send a direct message in the Messages tab.',
      'Mention the app in a channel; the answer comes in a thread.',
      'Use the slash command or the message shortcut.',
    ],
    nobody: 'Nobody is set up to answer here yet. The people who run this app have to complete that.',
  },
  suggestions: {
    title: 'You could begin with',
    prompts: [{ title: 'What can you help me with?', message: 'What can you help me with?' }],
  },
  question: { title: 'Ask a question', label: 'Your question', submit: 'Ask', close: 'Cancel' },
};

/** What the Discord gateway itself says, and what its commands are called. */
export const discordTexts = {
  sources: 'Sources',
  commands: {
    ask: { name: 'ask', description: 'Ask a question', question: 'Your question' },
    askAbout: { name: 'Ask about this' },
    server: {
      name: 'server',
      description: 'Choose the server that you want to talk to here',
      part: { name: 'name', description: 'A part of the server’s name' },
    },
  },
  question: { title: 'Ask a question', label: 'Your question' },
  direct: {
    choose:
      'Hello! You share more than this chat with me: which server is this about? Choose one, then write again. Until then nothing that you write is kept.',
    placeholder: 'Choose a server',
    chosen: (server: string) =>
      `You are talking to **${server}** now. Write what you want to know. Choose again here, or with /server, to talk to another one.`,
    more: 'I have not looked at all servers. If yours is missing, mention me in it once and ask here again, or use /server with a part of its name.',
    none: 'We share no server in which I answer, so I cannot help you here.',
    noneSeen:
      'I have not found a server that we share, but have not looked at all of them. Mention me once in the server that you mean and ask here again, or use /server with a part of its name.',
    noneNamed:
      'I know no server with that in its name in which you are. Mention me once in the server that you mean, and ask here again.',
    notNow: 'Discord does not tell me which servers we share at the moment. Try /server in a minute.',
    askAgain: 'I know now which server this is about. Please ask again.',
    notThere: 'You are not in that server any more, or I am not. Choose another one with /server.',
    onlyDirect: 'This command is for our direct messages: here I answer for this server.',
  },
  unclaimed:
    'Nobody is set up to answer in this server yet. The people who run this app have to complete that.',
  unsupported: 'I cannot do anything with this.',
};

/** What the Teams gateway itself says. Plain text. */
export const teamsTexts = {
  sources: 'Sources',
  files: 'Files',
  actionTaken: 'Got it.',
  question: {
    title: 'Ask a question',
    label: 'Your question',
    submit: 'Ask',
    asked: 'Thank you. The answer comes in the chat.',
  },
  file: {
    offer: 'A file for you',
    taken: 'The file that was offered is handed over.',
    failed: 'The file could not be handed over. Please ask for it again.',
  },
};

/** What is said to people who stop messages, begin them again, or ask who is there. */
export const twilioTexts = {
  stop: 'You have been unsubscribed and will receive no more messages. Reply START to receive them again.',
  start: 'You will receive messages again. Reply STOP to unsubscribe, HELP for help.',
  help: 'This number answers your questions. Reply STOP to unsubscribe.',
};
