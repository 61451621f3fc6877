import type { ComponentChildren, VNode } from 'preact';
import type { Block, Inline } from './nodes.ts';

/** Accessible names of the parts that scroll sideways, and so can be reached with the keyboard. */
export type MarkdownLabels = { code: string; table: string };

/**
 * Draws parsed markdown as elements, never as HTML text: nothing that a model writes can become a tag or a script,
 * and it works under a page's Trusted Types.
 */
export function renderMarkdown(blocks: readonly Block[], labels: MarkdownLabels): VNode {
  return (
    <div class="markdown" dir="auto">
      {renderBlocks(blocks, labels)}
    </div>
  );
}

function renderBlocks(blocks: readonly Block[], labels: MarkdownLabels): VNode[] {
  return blocks.map((block) => renderBlock(block, labels));
}

function renderBlock(block: Block, labels: MarkdownLabels): VNode {
  switch (block.kind) {
    case 'paragraph':
      return <p>{renderInline(block.children)}</p>;
    case 'heading': {
      // The panel's own title is the second level: a message's headings stand below it.
      const Tag = `h${Math.min(block.level + 2, 6)}` as 'h3';
      return <Tag>{renderInline(block.children)}</Tag>;
    }
    case 'code':
      return (
        <ScrollArea label={labels.code}>
          <pre dir="ltr">
            <code>{block.text}</code>
          </pre>
        </ScrollArea>
      );
    case 'quote':
      return <blockquote>{renderBlocks(block.blocks, labels)}</blockquote>;
    case 'list': {
      const items = block.items.map((blocks) => <li>{renderItem(blocks, labels)}</li>);
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table':
      return renderTable(block, labels);
    case 'rule':
      return <hr />;
  }
}

/** A first paragraph stands in its item without a margin of its own. */
function renderItem([first, ...rest]: readonly Block[], labels: MarkdownLabels): ComponentChildren {
  if (!first) return null;
  const start = first.kind === 'paragraph' ? renderInline(first.children) : renderBlock(first, labels);
  return [start, renderBlocks(rest, labels)];
}

function renderTable(
  { alignments, header, rows }: Extract<Block, { kind: 'table' }>,
  labels: MarkdownLabels,
): VNode {
  const renderRow = (cells: readonly Inline[][], Cell: 'th' | 'td') => (
    <tr>
      {cells.map((cell, column) => (
        <Cell style={{ textAlign: alignments[column] ?? 'start' }}>{renderInline(cell)}</Cell>
      ))}
    </tr>
  );
  return (
    <ScrollArea label={labels.table}>
      <table>
        <thead>{renderRow(header, 'th')}</thead>
        <tbody>{rows.map((cells) => renderRow(cells, 'td'))}</tbody>
      </table>
    </ScrollArea>
  );
}

/** Wide code and tables scroll in a box of their own, which the arrow keys must reach. */
function ScrollArea({ label, children }: { label: string; children: ComponentChildren }): VNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="scroll-area" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

const wraps = { strong: 'strong', emphasis: 'em', strike: 'del' } as const;

function renderInline(parts: readonly Inline[]): ComponentChildren {
  return parts.map((part) => {
    if (typeof part === 'string') return part;
    if (part.kind === 'break') return <br />;
    if (part.kind === 'code') return <code>{part.text}</code>;
    const children = renderInline(part.children);
    if (part.kind === 'link') {
      return (
        <a href={part.href} target="_blank" rel="noopener noreferrer nofollow">
          {children}
        </a>
      );
    }
    const Tag = wraps[part.kind];
    return <Tag>{children}</Tag>;
  });
}
