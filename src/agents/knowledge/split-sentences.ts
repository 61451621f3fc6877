const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Cuts a paragraph into its sentences, word for word. Short forms (`e.g.`) and code spans end none. */
export function splitSentences(paragraph: string): string[] {
  const sentences: string[] = [];
  let open: string[] = [];
  let isInCode = false;
  for (const { segment } of segmenter.segment(paragraph)) {
    open.push(segment);
    if (segment.split('`').length % 2 === 0) isInCode = !isInCode;
    if (isInCode || shortForm.test(segment.trimEnd().slice(-12))) continue;
    sentences.push(open.join('').trim());
    open = [];
  }
  sentences.push(open.join('').trim());
  return sentences.filter((sentence) => sentence !== '');
}

const shortForm = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|no|nr|fig|dr|mr|mrs|ms|st)\.$/i;
