/** chat.startStream and chat.appendStream take 12,000 characters; what is streamed stays well below that. */
const totalLengthMax = 11_000;
const pieceLengthMax = 4_000;

/**
 * The next piece of an answer to be appended to a stream, after `sent`; `undefined` when there is none. A stream only
 * grows: once the text has changed before its end, or the bound is reached, it stays as it is, and the final text
 * replaces it. What is not decided yet (`<`, which may become `<!here>`) is held back unless the text is `complete`.
 */
export function nextPiece(sent: string, text: string, complete: boolean): string | undefined {
  const safe = neutralise(complete ? text : text.replace(undecided, ''));
  if (!safe.startsWith(sent)) return undefined;
  const end = Math.min(safe.length, sent.length + pieceLengthMax, totalLengthMax);
  const piece = safe.slice(sent.length, isInsidePair(safe, end) ? end - 1 : end);
  return piece === '' ? undefined : piece;
}

const wordJoiner = '\u2060';

// Slack reads the streamed text itself: these would call people. The final text is made of blocks, where nothing does.
function neutralise(text: string): string {
  return text.replaceAll(/<(?=[!@#])|@(?=channel|here|everyone)/gi, (sign) => sign + wordJoiner);
}

/** What may turn out to be one of those when more of the text comes. */
const undecided = /(?:<|@[a-z]{0,8})$/i;

function isInsidePair(text: string, at: number): boolean {
  return at < text.length && /[\uD800-\uDBFF]/.test(text.charAt(at - 1));
}
