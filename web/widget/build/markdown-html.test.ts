import { expect, test } from 'vitest';
import { markdownHtml } from './markdown-html.ts';

const pageOf = (path: string) => (path === 'docs/apply.md' ? 'apply.html' : undefined);

test('links between documents lead to their pages, others in the checkout become words', () => {
  expect(markdownHtml('[a](docs/apply.md#a-file) [b](src/app.ts) [c](https://c.example/)', pageOf)).toBe(
    '<p><a href="apply.html#a-file">a</a> b <a href="https://c.example/">c</a></p>',
  );
});

test('headings have the anchors that sources of answers name', () => {
  expect(
    markdownHtml('## How do I add a tenant?\n\n## The `apply` file\n\n## The `apply` file', pageOf),
  ).toBe(
    '<h2 id="how-do-i-add-a-tenant">How do I add a tenant?</h2>\n' +
      '<h2 id="the-apply-file">The <code>apply</code> file</h2>\n' +
      '<h2 id="the-apply-file-1">The <code>apply</code> file</h2>',
  );
});

test('nothing in a document is taken for HTML', () => {
  expect(markdownHtml('<b onclick="x">&amp; `<i>`', pageOf)).toBe(
    '<p>&lt;b onclick=&quot;x&quot;&gt;&amp;amp; <code>&lt;i&gt;</code></p>',
  );
});

test('tables, lists and code are drawn', () => {
  expect(markdownHtml('| a |\n|---|\n| 1 |\n\n- x\n  - y\n\n```\n<z>\n```', pageOf)).toBe(
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>\n' +
      '<ul><li>x<ul><li>y</li></ul></li></ul>\n<div class="code"><pre><code>&lt;z&gt;</code></pre></div>',
  );
});
