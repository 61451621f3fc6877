import type { VNode } from 'preact';
import { Icon, type IconName } from './icons.tsx';

type IconButtonProps = { icon: IconName; label: string; onClick: () => void; class?: string };

/** A button that shows only an icon: its name is there for a pointer at rest and for a screen reader. */
export function IconButton({ icon, label, onClick, class: extra = '' }: IconButtonProps): VNode {
  return (
    <button type="button" class={`icon-button ${extra}`} aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
