import fc from 'fast-check';

/**
 * Markdown as agents write it, with what platforms could trip over: emoji of several code points, text that looks like a
 * mention or a link of Slack's, code, lists in lists, tables.
 */
export function someMarkdown(): fc.Arbitrary<string> {
  return fc.array(block, { minLength: 1, maxLength: 8 }).map((blocks) => blocks.join('\n\n'));
}

/** Clusters that must never be torn. */
export const clusters = ['👩‍👩‍👧‍👦', '🇩🇪', '👍🏽', 'é', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', 'क्षि'];
/** What must stay literal. `\` keeps Markdown from reading it. */
const baits = ['<!channel>', '<@U1>', '@everyone', '\\*b\\*', '\\<http://a.example|b>', '<!here|here>', '&'];

const word = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z]{1,12}[.,!?]?$/) },
  { weight: 1, arbitrary: fc.constantFrom(...clusters) },
  { weight: 1, arbitrary: fc.constantFrom(...baits) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z]{30,80}$/) },
);
const words = fc.array(word, { minLength: 1, maxLength: 12 }).map((all) => all.join(' '));
const inline = fc.oneof(
  { weight: 4, arbitrary: words },
  words.map((text) => `**${text}**`),
  words.map((text) => `*${text} **${text}***`),
  fc.stringMatching(/^[a-z]{1,8}( [a-z]{1,8}){0,3}$/).map((text) => `\`${text}\``),
  fc
    .stringMatching(/^[a-z]{1,8}( [a-z]{1,8}){0,3}$/)
    .map((text) => `[${text}](https://a.example/${text.length})`),
  fc.constantFrom('https://a.example/bare', '![a picture](https://a.example/p.png)', '[here](/docs)'),
);
const line = fc.array(inline, { minLength: 1, maxLength: 5 }).map((all) => all.join(' '));
const item = fc
  .tuple(line, fc.option(line))
  .map(([first, nested]) => (nested ? `${first}\n   - ${nested}` : first));
const cell = fc.stringMatching(/^[a-z]{1,10}( [a-z]{1,10}){0,8}$/);
const block = fc.oneof(
  { weight: 3, arbitrary: line },
  line.map((text) => `## ${text}`),
  fc.array(item, { minLength: 1, maxLength: 8 }).map((items) => items.map((text) => `-  ${text}`).join('\n')),
  fc.array(item, { minLength: 1, maxLength: 8 }).map((items) => items.map((text) => `4. ${text}`).join('\n')),
  fc
    .array(line, { minLength: 1, maxLength: 3 })
    .map((lines) => lines.map((text) => `> ${text}`).join('\n>\n')),
  fc.array(words, { minLength: 1, maxLength: 8 }).map((lines) => `\`\`\`ts\n${lines.join('\n')}\n\`\`\``),
  fc
    .array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 })
    .map((rows) => ['| Aa | Bb |', '|---|---|', ...rows.map(([a, b]) => `| ${a} | ${b} |`)].join('\n')),
  fc.constant('---'),
);
