import type { VNode } from 'preact';
import { Launcher } from './launcher.tsx';
import { Panel } from './panel.tsx';
import type { View } from './view.ts';

/** The whole widget. The status is its one live region: a finished answer is read out once, when it is complete. */
export function WidgetView({ view }: { view: View }): VNode {
  const { options, texts, panel } = view;
  return (
    <div class="widget" dir={options.direction} lang={texts.language} data-position={options.position ?? ''}>
      <Launcher view={view} />
      <Panel view={view} />
      <div role="status" class="visually-hidden">
        <p key={panel.announcement.id}>{panel.announcement.text}</p>
      </div>
    </div>
  );
}
