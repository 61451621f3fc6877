import type { ComponentChildren, VNode } from 'preact';
import type { Block, Inline, InlineWrap } from './nodes.ts';

/** Accessible names of the parts that scroll sideways, and so can be reached with the keyboard. */
export type MarkdownLabels = { code: string; table: string };

/**
 * Draws parsed markdown as elements, never as HTML text: nothing that a model writes can become a tag or a script,
 * and it works under a page's Trusted Types.
 */
export function renderMarkdown(blocks: readonly Block[], labels: MarkdownLabels): VNode {
  return <div class="markdown">{blocks.map((block) => renderBlock(block, labels))}</div>;
}

function renderBlock(block: Block, labels: MarkdownLabels): VNode {
  switch (block.kind) {
    case 'paragraph':
      return <p>{renderInline(block.children)}</p>;
    case 'heading':
      return renderHeading(block.level, renderInline(block.children));
    case 'code':
      return (
        <ScrollArea label={labels.code}>
          <pre dir="ltr">
            <code>{block.text}</code>
          </pre>
        </ScrollArea>
      );
    case 'quote':
      return <blockquote>{block.blocks.map((inner) => renderBlock(inner, labels))}</blockquote>;
    case 'list':
      return renderList(block, labels);
    case 'table':
      return renderTable(block, labels);
    case 'rule':
      return <hr />;
  }
}

/** The panel's own title is the second level: a message's headings stand below it. */
function renderHeading(level: number, children: ComponentChildren): VNode {
  const Tag = `h${Math.min(level + 2, 6)}` as 'h3';
  return <Tag>{children}</Tag>;
}

function renderList(list: Extract<Block, { kind: 'list' }>, labels: MarkdownLabels): VNode {
  const items = list.items.map((blocks) => <li>{renderItem(blocks, labels)}</li>);
  return list.ordered ? <ol start={list.start}>{items}</ol> : <ul>{items}</ul>;
}

/** A first paragraph stands in its item without a margin of its own. */
function renderItem(blocks: readonly Block[], labels: MarkdownLabels): ComponentChildren {
  const [first, ...rest] = blocks;
  if (first?.kind !== 'paragraph') return blocks.map((block) => renderBlock(block, labels));
  return [renderInline(first.children), ...rest.map((block) => renderBlock(block, labels))];
}

function renderTable(table: Extract<Block, { kind: 'table' }>, labels: MarkdownLabels): VNode {
  const alignment = (column: number) => ({ textAlign: table.alignments[column] ?? 'start' });
  return (
    <ScrollArea label={labels.table}>
      <table>
        <thead>
          <tr>
            {table.header.map((cell, column) => (
              <th scope="col" style={alignment(column)}>
                {renderInline(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <tr>
              {row.map((cell, column) => (
                <td style={alignment(column)}>{renderInline(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
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

function renderInline(parts: readonly Inline[]): ComponentChildren {
  return parts.map((part) => {
    if (typeof part === 'string') return part;
    switch (part.kind) {
      case 'break':
        return <br />;
      case 'code':
        return <code>{part.text}</code>;
      case 'link':
        return (
          <a href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {renderInline(part.children)}
          </a>
        );
      default:
        return renderWrap(part.kind, renderInline(part.children));
    }
  });
}

function renderWrap(kind: InlineWrap, children: ComponentChildren): VNode {
  if (kind === 'strong') return <strong>{children}</strong>;
  return kind === 'emphasis' ? <em>{children}</em> : <del>{children}</del>;
}
