import type { VNode } from 'preact';
import { useWidget } from './widget-context.ts';

/** Questions to begin with; a click asks. */
export function SuggestionChips({ suggestions }: { suggestions: readonly string[] }): VNode {
  const { texts, actions } = useWidget();
  return (
    <ul class="chips" aria-label={texts.suggestions}>
      {suggestions.map((suggestion) => (
        <li key={suggestion}>
          <button type="button" class="chip" dir="auto" onClick={() => actions.send(suggestion)}>
            {suggestion}
          </button>
        </li>
      ))}
    </ul>
  );
}
