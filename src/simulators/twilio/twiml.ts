export type Twiml =
  /** Messages that the answer asks Twilio to send back. */
  | { valid: true; messages: readonly { body: string; mediaUrls: readonly string[] }[] }
  | { valid: false; reason: string };

type Element = { name: string; text: string; children: Element[] };

/**
 * Reads the answer of a message webhook: one well-formed `<Response>`, served as XML.
 * https://www.twilio.com/docs/messaging/twiml
 */
export function readTwiml(contentType: string | undefined, body: string): Twiml {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'text/xml' && type !== 'application/xml')
    return { valid: false, reason: `content type ${type ?? 'missing'} instead of text/xml` };
  const root = readXml(body);
  if (typeof root === 'string') return { valid: false, reason: root };
  if (root.name !== 'Response') return { valid: false, reason: `<${root.name}> instead of <Response>` };
  const strange = root.children.find(({ name }) => name !== 'Message' && name !== 'Redirect');
  if (strange) return { valid: false, reason: `<${strange.name}> is no messaging verb` };

  const messages = root.children
    .filter(({ name }) => name === 'Message')
    .map((message) => ({
      body: message.children.find(({ name }) => name === 'Body')?.text ?? message.text.trim(),
      mediaUrls: message.children.filter(({ name }) => name === 'Media').map(({ text }) => text.trim()),
    }));
  return { valid: true, messages };
}

const token =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;

/** The root element, or what is wrong. No DTD: TwiML has none. */
function readXml(source: string): Element | string {
  const top: Element = { name: '', text: '', children: [] };
  const open = [top];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const found = token.exec(source);
    if (!found) return 'not well-formed XML';
    const [, cdata, closing, opening, , selfClosing, text] = found;
    const inside = open.at(-1) ?? top;
    if (cdata !== undefined) inside.text += cdata;
    if (text !== undefined) {
      const unescaped = unescapeXml(text);
      if (unescaped === undefined) return 'a stray & or an unknown entity';
      inside.text += unescaped;
    }
    if (opening !== undefined) {
      const element: Element = { name: opening, text: '', children: [] };
      inside.children.push(element);
      if (!selfClosing) open.push(element);
    }
    if (closing !== undefined && (open.length === 1 || open.pop()?.name !== closing))
      return `</${closing}> closes nothing`;
  }
  const [root, second] = top.children;
  if (open.length > 1) return `<${open.at(-1)?.name}> is not closed`;
  if (!root || second || top.text.trim()) return 'not one root element';
  return root;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string | undefined {
  let faulty = false;
  const unescaped = text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+))?;?/gi, (whole, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : undefined;
    const character =
      code === undefined ? entities[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (character === undefined || !whole.endsWith(';')) faulty = true;
    return character ?? '';
  });
  return faulty ? undefined : unescaped;
}
