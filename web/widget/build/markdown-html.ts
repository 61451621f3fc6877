import { parseMarkdown } from '../src/markdown/blocks.ts';
import type { Block, Inline } from '../src/markdown/nodes.ts';

/** Stands before the address of another document while the text is read: links of the widget are never relative. */
const relative = 'https://document.invalid/';

/**
 * Writes the project's own documentation as HTML, with the widget's reader of markdown. Links between documents lead to
 * their pages, `pageOf` names them; what leads elsewhere in the checkout becomes plain words.
 */
export function markdownHtml(source: string, pageOf: (path: string) => string | undefined): string {
  const blocks = parseMarkdown(
    source.replace(/^!\[.*$/gm, '').replace(/\]\((?!https?:|#)/g, `](${relative}`),
  );
  return new HtmlWriter(pageOf).write(blocks);
}

class HtmlWriter {
  readonly #pageOf: (path: string) => string | undefined;
  readonly #anchors = new Map<string, number>();

  constructor(pageOf: (path: string) => string | undefined) {
    this.#pageOf = pageOf;
  }

  write(blocks: readonly Block[]): string {
    return blocks.map((block) => this.#block(block)).join('\n');
  }

  #block(block: Block): string {
    switch (block.kind) {
      case 'paragraph':
        return `<p>${this.#inline(block.children)}</p>`;
      case 'heading':
        return `<h${block.level} id="${this.#anchor(block.children)}">${this.#inline(block.children)}</h${block.level}>`;
      case 'code':
        return `<div class="code"><pre><code>${escapeHtml(block.text)}</code></pre></div>`;
      case 'quote':
        return `<blockquote>${this.write(block.blocks)}</blockquote>`;
      case 'list': {
        const tag = block.ordered ? 'ol' : 'ul';
        return `<${tag}>${block.items.map((item) => `<li>${this.#item(item)}</li>`).join('')}</${tag}>`;
      }
      case 'table':
        return this.#table(block);
      case 'rule':
        return '<hr>';
    }
  }

  #item([first, ...rest]: readonly Block[]): string {
    if (!first) return '';
    const start = first.kind === 'paragraph' ? this.#inline(first.children) : this.#block(first);
    return start + this.write(rest);
  }

  #table({ header, rows }: Extract<Block, { kind: 'table' }>): string {
    const row = (cells: readonly Inline[][], tag: 'th' | 'td') =>
      `<tr>${cells.map((cell) => `<${tag}>${this.#inline(cell)}</${tag}>`).join('')}</tr>`;
    const body = rows.map((cells) => row(cells, 'td')).join('');
    return `<table><thead>${row(header, 'th')}</thead><tbody>${body}</tbody></table>`;
  }

  #inline(parts: readonly Inline[]): string {
    return parts.map((part) => this.#part(part)).join('');
  }

  #part(part: Inline): string {
    if (typeof part === 'string') return escapeHtml(part);
    switch (part.kind) {
      case 'break':
        // A line end of the file, not of the sentence.
        return ' ';
      case 'code':
        return `<code>${escapeHtml(part.text)}</code>`;
      case 'link':
        return this.#link(part.href, this.#inline(part.children));
      default: {
        const tag = { strong: 'strong', emphasis: 'em', strike: 'del' }[part.kind];
        return `<${tag}>${this.#inline(part.children)}</${tag}>`;
      }
    }
  }

  #link(href: string, words: string): string {
    if (!href.startsWith(relative)) return `<a href="${escapeHtml(href)}">${words}</a>`;
    const { pathname, hash } = new URL(href);
    const page = this.#pageOf(pathname.slice(1));
    return page ? `<a href="${escapeHtml(page + hash)}">${words}</a>` : words;
  }

  /** As GitHub makes them, and so as the sources of an answer name them. */
  #anchor(heading: readonly Inline[]): string {
    const slug = wordsOf(heading)
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    const count = this.#anchors.get(slug) ?? 0;
    this.#anchors.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  }
}

function wordsOf(parts: readonly Inline[]): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      if (part.kind === 'code') return part.text;
      return part.kind === 'break' ? ' ' : wordsOf(part.children);
    })
    .join('');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? '');
}
