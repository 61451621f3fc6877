/**
 * Tells whether a text is nothing but sentences in paragraphs, with no character in it that Markdown could make something
 * of. Most short answers are, and need no parser; a text that is not recognised costs no more than before.
 */
export function isPlainProse(text: string): boolean {
  return proseLines.test(text) && !bareLink.test(text);
}

// Lines that begin with a letter are no list, heading, rule or indented code; without blanks at the end there is no hard
// break; and the marks of CommonMark and GFM, * _ ` ~ [ ] < > & \ | # + = @, are not among the characters.
const proseLines =
  /^(?:\p{L}(?:[\p{L}\p{M}\p{N},.;:?!'"()%€$£/–—…“”„‘’-]| (?! |$|\n))*(?:\n{1,2}(?=\p{L})|$))+$/u;
const bareLink = /:\/\/|www\./i;
