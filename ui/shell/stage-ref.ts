import type { Stage } from "../canvas/stage.ts";
import type { Id } from "../doc/document.ts";

/** Set while the canvas is on the page. */
export const stageRef: { current: Stage | undefined } = { current: undefined };
/** Set by the stage view: opens the list of nodes to add. */
export const openers: {
  addNode: () => void;
  connect: () => void;
  title: (id: Id) => void;
  widget: (id: Id, name?: string) => void;
  files: () => void;
} = {
  addNode: () => undefined,
  connect: () => undefined,
  title: () => undefined,
  widget: () => undefined,
  files: () => undefined,
};
