/** What the Teams gateway itself says. Plain text. */
export type TeamsTexts = {
  sources: string;
  files: string;
  /** On a card whose button was pressed. */
  actionTaken: string;
  question: { title: string; label: string; submit: string; asked: string };
  file: {
    offer: string;
    /** In the transcript, where a file was taken. */
    taken: string;
    failed: string;
  };
};
