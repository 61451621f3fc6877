/**
 * Cuts a text that is known already into the pieces that it is streamed in, a few words each. Joined again they are the
 * text, letter by letter.
 */
export function piecesOf(text: string): string[] {
  return text.match(/(?:\S{1,80}\s*){1,4}|\s+/g) ?? [];
}
