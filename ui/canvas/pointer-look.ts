import type { Id } from "../doc/document.ts";
import type { Target } from "./stage-types.ts";

/** What stands out while the pointer is on it. */
export function hoverOf(target: Target): { readonly id: Id; readonly part: string } | undefined {
  switch (target.kind) {
    case "socket":
      return { id: target.id, part: `${target.side === "input" ? "in" : "out"} ${target.slot}` };
    case "widget":
      return { id: target.id, part: `widget ${target.box.state.face.name}` };
    case "node":
      return { id: target.id, part: target.part };
    default:
      return undefined;
  }
}

/** The pointer over a target, while nothing is dragged. */
export function cursorOf(target: Target | undefined): string {
  switch (target?.kind) {
    case "socket":
      return "crosshair";
    case "widget":
      return target.box.state.linked
        ? "default"
        : target.box.state.face.type === "STRING" && !target.box.state.face.file
          ? "text"
          : "pointer";
    case "group":
      return "move";
    case "link":
      return "pointer";
    default:
      return "default";
  }
}
