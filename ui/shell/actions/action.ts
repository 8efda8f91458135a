import { prefs } from "../../state/prefs.ts";

/** A command by name: in Ctrl-K, on keys that can be changed, in menus. */
export interface Action {
  readonly id: string;
  readonly title: string;
  readonly group: "Run" | "Edit" | "Select" | "Node" | "View" | "Graph" | "Go" | "Help";
  readonly keys: readonly string[];
  readonly run: () => unknown;
  /** Whether it makes sense now. */
  readonly isEnabled?: () => boolean;
}

/** The keys of an action as the person has them. */
export function keysOf(action: Action): readonly string[] {
  return prefs.value.keys[action.id] ?? action.keys;
}
