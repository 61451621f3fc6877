import { isValidElement, type VNode } from 'preact';
import { describe, expect, test } from 'vitest';
import { parseMarkdown } from './blocks.ts';
import { renderMarkdown } from './render.tsx';

const labels = { code: 'Code', table: 'Table' };

describe('drawn markdown', () => {
  test('is made of elements only, never of HTML text', () => {
    const source =
      '# <b>\n\n<img src=x onerror=alert(1)>\n\n```html\n<script>\n```\n\n| <i> |\n|---|\n| [x](javascript:y) |';
    for (const element of elementsOf(source)) {
      expect(Object.keys(element.props)).not.toContain('dangerouslySetInnerHTML');
      expect(['img', 'script', 'i', 'b']).not.toContain(element.type);
    }
  });

  test('opens links in a new tab that knows nothing of this one', () => {
    const links = elementsOf('[a](https://a.example) https://b.example').filter(({ type }) => type === 'a');
    expect(links.map(({ props }) => props)).toMatchObject([
      { href: 'https://a.example/', target: '_blank', rel: 'noopener noreferrer nofollow' },
      { href: 'https://b.example/', target: '_blank', rel: 'noopener noreferrer nofollow' },
    ]);
  });

  test('has headings below the title of the panel', () => {
    const tags = elementsOf('# a\n## b\n##### c').map(({ type }) => type);
    expect(tags).toEqual(['div', 'h3', 'h4', 'h6']);
  });

  test('lets the keyboard reach what scrolls, by a name', () => {
    const areas = elementsOf('```\nx\n```\n\n| a |\n|---|\n').filter(({ type }) => type === 'section');
    expect(areas.map(({ props }) => props)).toMatchObject([
      { 'aria-label': 'Code', tabIndex: 0 },
      { 'aria-label': 'Table', tabIndex: 0 },
    ]);
  });

  test('counts a list from the number that was written', () => {
    expect(elementsOf('3. c\n4. d').find(({ type }) => type === 'ol')?.props).toMatchObject({ start: 3 });
  });
});

type Element = VNode<Record<string, unknown>>;

function elementsOf(source: string): Element[] {
  return walk(renderMarkdown(parseMarkdown(source), labels));
}

function walk(node: unknown): Element[] {
  if (Array.isArray(node)) return node.flatMap(walk);
  if (!isValidElement(node)) return [];
  const element = node as Element;
  if (typeof element.type === 'function') {
    return walk((element.type as (props: unknown) => unknown)(element.props));
  }
  return [element, ...walk(element.props['children'])];
}
