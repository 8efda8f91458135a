import type { ComponentChildren } from "preact";
import { Icon } from "../panels/icon.tsx";

interface DialogProps {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
  readonly foot?: ComponentChildren;
  readonly size?: "wide" | "full";
}

export function Dialog({ title, close, children, foot, size }: DialogProps) {
  return (
    <div class={`dialog${size ? ` ${size}` : ""}`} role="dialog" aria-modal="true" aria-label={title}>
      <div class="dialog-head">
        <h2>{title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div class="dialog-body">{children}</div>
      {foot && <div class="dialog-foot">{foot}</div>}
    </div>
  );
}
