import type { ComponentChildren, VNode } from 'preact';

type TextButtonProps = { id?: string; onClick: () => void; children: ComponentChildren };

export function TextButton(props: TextButtonProps): VNode {
  return <button type="button" class="text-button" {...props} />;
}
