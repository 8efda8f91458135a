import type { Action } from "./actions/action.ts";

/** Every action, once the page has started. */
export const actionsRef: { current: readonly Action[] } = { current: [] };

export function runAction(id: string): void {
  const action = actionsRef.current.find((a) => a.id === id);
  if (action && action.isEnabled?.() !== false) void action.run();
}
