import spectralCore from '@stoplight/spectral-core';
import { ruleset } from './ruleset.ts';

type Finding = { rule: string; message: string; place: string };

/** Answers a function that says what is wrong with an OpenAPI document. Hints are no findings. */
export function createLinter(): (document: Record<string, unknown>) => Promise<Finding[]> {
  const spectral = new spectralCore.Spectral();
  spectral.setRuleset(ruleset as unknown as Parameters<typeof spectral.setRuleset>[0]);
  return async (document) => {
    const found = await spectral.run(document);
    return found
      .filter(({ severity }) => severity <= 1)
      .map(({ code, message, path }) => ({ rule: String(code), message, place: path.join('/') }));
  };
}
