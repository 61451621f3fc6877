/** What the Discord gateway itself says to people. */
export type DiscordTexts = {
  /** Above the places that an answer rests on. */
  sources: string;
  /** Commands, as people see them: names in lower case. */
  commands: {
    ask: { name: string; description: string; question: string };
    /** In a message's menu. */
    askAbout: { name: string };
    server: { name: string; description: string; part: { name: string; description: string } };
  };
  /** The form in which a person asks a question. */
  question: { title: string; label: string };
  direct: {
    /** Above the menu of servers. */
    choose: string;
    /** In the menu, before anything is chosen. */
    placeholder: string;
    chosen(server: string): string;
    /** Below that, when there are more servers than were looked at. */
    more: string;
    /** There is nothing to choose from. */
    none: string;
    /** There may be something, where nobody has looked. */
    noneSeen: string;
    /** No server that the person is in is called as they said. */
    noneNamed: string;
    /** Discord did not say which servers there are. */
    notNow: string;
    /** What they asked came before the server was known, which it is now. */
    askAgain: string;
    /** What was chosen does not hold any more. */
    notThere: string;
    /** The command for choosing, used in a server. */
    onlyDirect: string;
  };
  /** To a command in a server that no tenant has. */
  unclaimed: string;
  unsupported: string;
};
