/** Puts a popup at a point of the window, moved so that all of it can be seen. */
export function placePopup(element: HTMLElement, [x, y]: readonly [number, number]): void {
  const { width, height } = element.getBoundingClientRect();
  element.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
  element.style.top = `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`;
}
