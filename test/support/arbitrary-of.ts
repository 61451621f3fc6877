import fc from 'fast-check';

/** As much of JSON Schema as the contract of the API uses. */
export type JsonSchema = {
  type?: string;
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly JsonSchema[];
  oneOf?: readonly JsonSchema[];
  allOf?: readonly JsonSchema[];
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
  default?: unknown;
};

/** Longer texts and lists than this find nothing more, and take time. */
const sizeMax = 30;

/** Values that a schema takes; with what it says in a regular expression taken as a hint. */
export function arbitraryOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { type, enum: values, anyOf, oneOf, allOf } = schema;
  if ('const' in schema) return fc.constant(schema.const);
  if (values) return fc.constantFrom(...values);
  const choices = anyOf ?? oneOf;
  if (choices) return fc.oneof(...choices.map(arbitraryOf));
  if (allOf) return arbitraryOf(Object.assign({}, ...allOf));
  switch (type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? sizeMax, sizeMax),
      });
    case 'string':
      return textOf(schema);
    case 'integer':
      return fc.integer({ min: lowest(schema), max: highest(schema) });
    case 'number':
      return fc.double({ min: lowest(schema), max: highest(schema), noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue();
  }
}

const int32 = 2 ** 31 - 1;
const lowest = ({ minimum = -int32 }: JsonSchema) => Math.max(minimum, -int32);
const highest = ({ maximum = int32 }: JsonSchema) => Math.min(maximum, int32);

function objectOf({
  properties = {},
  required = [],
  additionalProperties,
}: JsonSchema): fc.Arbitrary<unknown> {
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, arbitraryOf(schema)])),
    { requiredKeys: [...required] },
  );
  if (typeof additionalProperties !== 'object') return known;
  const more = fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), arbitraryOf(additionalProperties), {
    maxKeys: 3,
  });
  return fc.tuple(known, more).map(([mine, others]) => ({ ...others, ...mine }));
}

// The library's own unit of this kind takes half a second to make, for each text.
const anySign = fc.integer({ min: 0, max: 0x10_ff_ff }).map((point) => String.fromCodePoint(point));

function textOf({ pattern, format, minLength = 0, maxLength = sizeMax }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc
      .date({ min: new Date(0), max: new Date('2099-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (format === 'uri') return fc.constantFrom('https://a.example/b', 'https://c.example:8443/d?e=f');
  const free = fc.string({
    unit: anySign,
    minLength,
    maxLength: Math.max(minLength, Math.min(maxLength, sizeMax)),
  });
  if (pattern === undefined) return free;
  // Classes of all signs are slow to make texts from, and nearly every text fits them.
  const form = new RegExp(pattern, 'u');
  return pattern.includes('\\p{')
    ? free.filter((text) => form.test(text))
    : fc.stringMatching(form, { size: 'small' });
}
