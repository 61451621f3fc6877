import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { constructsInExcess, isTooMuchToParse } from './constructs-in-excess.ts';
import type { Root } from './document.ts';
import { isPlainProse } from './plain-prose.ts';
import { toDocument } from './to-document.ts';

/**
 * Reads GitHub Flavored Markdown: CommonMark with tables, strikethrough, task lists, bare links and footnotes. HTML is
 * text like any other. Never throws, and takes a time that grows with the length of the text whatever is in it: what
 * would take the parser out of its depth is left as the text that it is.
 */
export function parseMarkdown(markdown: string): Root {
  const text = markdown.replaceAll(/\r\n?/g, '\n');
  if (isTooMuchToParse(text) || isPlainProse(text)) return paragraphsOf(text);
  const disabled = constructsInExcess(text);
  const tree = fromMarkdown(text, {
    // One tilde is how ranges are written, 5~10; as GitHub's specification has it, two strike.
    extensions: [gfm({ singleTilde: false }), { disable: { null: disabled } }],
    mdastExtensions: [gfmFromMarkdown()],
  });
  return toDocument(tree, text.length);
}

function paragraphsOf(text: string): Root {
  const paragraphs = text.split(/\n(?:[ \t]*\n)+/).filter((paragraph) => paragraph.trim() !== '');
  return {
    type: 'root',
    children: paragraphs.map((value) => ({ type: 'paragraph', children: [{ type: 'text', value }] })),
  };
}
