// Which panels are open. In a narrow window they are sheets over the canvas: one at a time, none to begin with, and nothing of it is kept.
import { computed, signal } from "@preact/signals";
import { type Prefs, prefs, setPrefs } from "./prefs.ts";

export type RailPanel = NonNullable<Prefs["rail"]>;

const NARROW = "(max-width: 900px)";
const isNarrow = signal(false);
const sheet = signal<RailPanel | "inspector" | null>(null);

/** Follows the window's width. */
export function watchWidth(): void {
  const media = matchMedia(NARROW);
  const follow = (): void => {
    isNarrow.value = media.matches;
    sheet.value = null;
  };
  follow();
  media.addEventListener("change", follow);
}

export const openRail = computed((): RailPanel | null => {
  if (!isNarrow.value) return prefs.value.rail;
  return sheet.value === "inspector" ? null : sheet.value;
});
export const isInspectorOpen = computed(() => (isNarrow.value ? sheet.value === "inspector" : prefs.value.inspector));

export function setRail(rail: RailPanel | null): void {
  if (isNarrow.value) sheet.value = rail;
  else setPrefs({ rail });
}
export function setInspector(isOpen: boolean): void {
  if (isNarrow.value) sheet.value = isOpen ? "inspector" : null;
  else setPrefs({ inspector: isOpen });
}
