import { z } from 'zod';

/** What an agent adds to its answer, beside the text. It is foreign: entries of another form are left out. */

const sourceSchema = z.object({ title: z.string().min(1), url: z.string().optional() });
const sourcesMax = 10;
const urlLengthMax = 800;

/** The places that an answer rests on; addresses are those of web pages. */
export function readSources(value: unknown): { title: string; url: string | undefined }[] {
  return readList(sourceSchema, value)
    .slice(0, sourcesMax)
    .map(({ title, url }) => ({ title, url: isWebAddress(url) ? url : undefined }));
}

/** One that no platform can hold is left out: a value that was cut would say something else. */
const buttonSchema = z.object({ label: z.string().min(1), value: z.string().min(1).max(2_000) });

/** What can be pressed below an answer. */
export function readButtons(value: unknown): { label: string; value: string }[] {
  return readList(buttonSchema, value).slice(0, 25);
}

/** At most so many UTF-16 units, never cut inside a sign as people see it, with `…` where something is missing. */
export function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  let shown = '';
  for (const { segment } of graphemes.segment(text.slice(0, lengthMax))) {
    if (shown.length + segment.length >= lengthMax) break;
    shown += segment;
  }
  return `${shown}…`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function isWebAddress(url: string | undefined): url is string {
  if (url === undefined || url.length > urlLengthMax || !URL.canParse(url)) return false;
  return ['http:', 'https:'].includes(new URL(url).protocol);
}

function readList<Item>(schema: z.ZodType<Item>, value: unknown): Item[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    const read = schema.safeParse(entry);
    return read.success ? [read.data] : [];
  });
}
