/** Markdown as a terminal can show it: what is escaped stands for itself, but for code, where a backslash is one. */
export function shownMarkdown(markdown: string): string {
  return markdown.replace(
    /(```[\s\S]*?```|`[^`\n]+`)|\\([!-/:-@[-`{-~])/g,
    (_whole, code: string | undefined, escaped: string) => code ?? escaped,
  );
}

/** A box below a message, such as the one with the sources. */
export function shownEmbed(embed: Readonly<Record<string, unknown>>): string {
  const lines = [embed['title'], embed['description']].filter((line) => typeof line === 'string');
  return `\n${shownMarkdown(lines.join('\n'))}`;
}

/** What can be pressed, wherever in the parts of a message it stands: `[ Yes ] [ No ]`, or nothing. */
export function shownButtons(parts: unknown): string[] {
  const labels = labelsIn(parts);
  return labels.length > 0 ? [`\n${labels.map((label) => `[ ${label} ]`).join(' ')}`] : [];
}

const buttonsMax = 50;

function labelsIn(part: unknown): string[] {
  if (Array.isArray(part)) return part.flatMap(labelsIn).slice(0, buttonsMax);
  if (typeof part !== 'object' || part === null) return [];
  const { type, label, title, text } = part as Record<string, unknown>;
  // A button's of Discord, of an Adaptive Card, of Slack.
  if (type === 2 && typeof label === 'string') return [label];
  if (typeof type === 'string' && type.startsWith('Action.') && typeof title === 'string') return [title];
  if (type === 'button') return [String((text as { text?: unknown } | undefined)?.text ?? '')];
  return Object.values(part).flatMap(labelsIn);
}
