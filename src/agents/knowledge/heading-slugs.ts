/**
 * Makes the anchors that GitHub gives to the headings of one document: lower case, punctuation gone, spaces as dashes,
 * and a number behind the second of the same name.
 */
export function createHeadingSlugs(): (heading: string) => string {
  const seen = new Map<string, number>();

  return (heading) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  };
}
