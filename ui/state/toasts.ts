import { signal } from "@preact/signals";

export interface Toast {
  readonly id: number;
  readonly message: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

export const toasts = signal<readonly Toast[]>([]);
let next = 1;

/** Says what was done. Nothing is told here alone that a person must not miss. */
export function say(message: string, action?: Toast["action"]): void {
  const id = next++;
  toasts.value = [...toasts.value.filter((t) => t.message !== message).slice(-2), { id, message, ...(action && { action }) }];
  setTimeout(() => dismiss(id), action ? 8000 : 4000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}
