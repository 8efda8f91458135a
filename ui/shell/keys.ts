// Keys as text: `Ctrl+Shift+E`. On a Mac, Cmd is taken for Ctrl.

/** The text of a key press; "" for a modifier alone. */
export function keyText(e: KeyboardEvent): string {
  const { key } = e;
  if (key === "Control" || key === "Shift" || key === "Alt" || key === "Meta") return "";
  const isLetter = /^[a-z]$/i.test(key);
  // With Alt some layouts give another letter: the key's place says which was meant.
  const letter = e.altKey && /^Key[A-Z]$/.test(e.code) ? e.code.slice(3) : isLetter ? key.toUpperCase() : key === " " ? "Space" : key;
  const printable = key.length === 1 && !isLetter && key !== " ";
  const parts = [e.ctrlKey || e.metaKey ? "Ctrl" : "", e.altKey ? "Alt" : "", e.shiftKey && !printable ? "Shift" : "", letter];
  return parts.filter((p) => p !== "").join("+");
}

/** Typing goes into a field, not to commands. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "range", "button", "radio"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}

export function hasModifier(text: string): boolean {
  return /^(Ctrl|Alt)\+/.test(text) || /^F\d+$/.test(text);
}
