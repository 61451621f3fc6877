import { type Inline, isBareLink, textOf } from '../../markdown/document.ts';
import type { RichTextElement, RichTextStyle } from './rich-text-elements.ts';

/** Inline content as Slack's elements. Each says what it is, so that nothing in a text is read as markup by Slack. */
export function toElements(nodes: readonly Inline[], style: RichTextStyle = {}): RichTextElement[] {
  return mergeTexts(nodes.flatMap((node) => toElement(node, style, undefined)));
}

/** Slack wants an address of these schemes; anything else is shown as text. */
const linkSchemes = new Set(['http:', 'https:', 'mailto:']);

function toElement(node: Inline, style: RichTextStyle, url: string | undefined): RichTextElement[] {
  const inside = (children: readonly Inline[], more: RichTextStyle) =>
    children.flatMap((child) => toElement(child, { ...style, ...more }, url));

  switch (node.type) {
    case 'text':
      return element(node.value, style, url);
    case 'break':
      return element('\n', style, url);
    case 'inlineCode':
      return element(node.value, { ...style, code: true }, url);
    case 'strong':
      return inside(node.children, { bold: true });
    case 'emphasis':
      return inside(node.children, { italic: true });
    case 'delete':
      return inside(node.children, { strike: true });
    case 'image':
      // Within a link, the image's own address has no place.
      if (url !== undefined) return element(node.alt || node.url, style, url);
      if (isLinkable(node.url)) return element(node.alt || node.url, style, node.url);
      return element(withAddress(node.alt, node.url), style, undefined);
    case 'link': {
      const label = textOf(node.children);
      if (isLinkable(node.url)) {
        if (label === '') return element(node.url, style, node.url);
        return node.children.flatMap((child) => toElement(child, style, node.url));
      }
      if (isBareLink(node)) return element(label || node.url, style, undefined);
      return [...inside(node.children, {}), ...element(` (${node.url})`, style, undefined)];
    }
  }
}

function element(text: string, style: RichTextStyle, url: string | undefined): RichTextElement[] {
  if (text === '') return [];
  const styled = Object.keys(style).length > 0 ? { style } : {};
  if (url === undefined) return [{ type: 'text', text, ...styled }];
  const address = encodeAddress(url);
  if (text === address) return [{ type: 'link', url: address, ...styled }];
  return [{ type: 'link', url: address, text, ...styled }];
}

/** What no address may hold (RFC 3986, section 2) and Slack may refuse, or take for its own `<address|label>`. */
function encodeAddress(url: string): string {
  return url.replaceAll(/[\s<>"|\\^`{}]/g, encodeURIComponent);
}

function isLinkable(url: string): boolean {
  return URL.canParse(url) && linkSchemes.has(new URL(url).protocol);
}

function withAddress(label: string, url: string): string {
  return label === '' || label === url ? url : `${label} (${url})`;
}

/** Texts of one style that follow one another are one text. */
export function mergeTexts(elements: readonly RichTextElement[]): RichTextElement[] {
  const merged: RichTextElement[] = [];
  for (const next of elements) {
    const last = merged.at(-1);
    if (last?.type === 'text' && next.type === 'text' && isSameStyle(last.style, next.style))
      last.text += next.text;
    else merged.push({ ...next });
  }
  return merged;
}

function isSameStyle(a: RichTextStyle = {}, b: RichTextStyle = {}): boolean {
  return a.bold === b.bold && a.italic === b.italic && a.strike === b.strike && a.code === b.code;
}
