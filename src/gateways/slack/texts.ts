/** What the Slack gateway itself says to people. Plain text, without Slack's marks. */
export type SlackTexts = {
  /** Stands behind the app's name while an answer is being written. */
  working: string;
  /** Above the places that an answer rests on. */
  sources: string;
  home: {
    /** What the agent is. */
    about(agent: string): string;
    /** Each way to write to it, one a line. */
    ways: readonly string[];
    /** In place of the agent's name while nobody is set up to answer. */
    nobody: string;
  };
  /** What a person may begin with when the agent has no suggestions of its own. */
  suggestions: { title: string; prompts: readonly { title: string; message: string }[] };
  /** The form in which a person asks a question. `title`, `submit` and `close`: 24 characters at most. */
  question: { title: string; label: string; submit: string; close: string };
};
