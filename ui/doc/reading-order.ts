import type { DocNode } from "./document.ts";

/** Reading order: columns from left to right, each from top to bottom. */
export function readingOrder(nodes: readonly DocNode[]): DocNode[] {
  return [...nodes].sort((a, b) => Math.round(a.pos[0] / 200) - Math.round(b.pos[0] / 200) || a.pos[1] - b.pos[1] || a.pos[0] - b.pos[0]);
}
