// What the canvas tells and is told.
import type { Badges } from "../doc/badges.ts";
import type { Command } from "../doc/commands.ts";
import type { Doc, Id, Place, Point, Rect } from "../doc/document.ts";
import type { End } from "../doc/links.ts";
import type { NodeFaces } from "../doc/node-face.ts";
import type { WidgetBox } from "../doc/node-layout.ts";
import type { View } from "../doc/tabs.ts";
import type { NodeLook } from "./node-look.ts";

export interface Selection {
  readonly nodes: readonly Id[];
  readonly groups: readonly number[];
  readonly reroutes: readonly Id[];
}
export const NOTHING: Selection = { nodes: [], groups: [], reroutes: [] };

/** What is under the pointer, for tooltips and menus. */
export type Target =
  | { readonly kind: "node"; readonly id: Id; readonly part: "title" | "body" | "preview"; readonly picture?: number }
  | { readonly kind: "socket"; readonly id: Id; readonly side: "input" | "output"; readonly slot: number }
  | { readonly kind: "widget"; readonly id: Id; readonly box: WidgetBox }
  | { readonly kind: "group"; readonly index: number }
  | { readonly kind: "link"; readonly id: Id }
  | { readonly kind: "canvas" };

export interface StageEvents {
  commands(list: readonly Command[], label?: string): void;
  select(selection: Selection): void;
  viewChanged(view: View): void;
  /** A widget was clicked: edit it in place. `rect` in CSS pixels of the window. */
  editWidget(id: Id, box: WidgetBox, rect: Rect): void;
  editTitle(target: { readonly node: Id } | { readonly group: number }, rect: Rect): void;
  /** Offer nodes: at a place in the graph, perhaps joined to a link that was let go. `at` in CSS pixels of the window. */
  addNode(options: { readonly pos: Point; readonly at: Point; readonly from?: End; readonly to?: End }): void;
  menu(target: Target, at: Point, pos: Point): void;
  hover(target: Target | undefined, at: Point): void;
  openSubgraph(id: Id): void;
  openPicture(id: Id, index: number): void;
  lookAt(id: Id): void;
  /** Something a person should know: a link that was refused. */
  say(message: string): void;
}

export interface StageState {
  readonly doc: Doc;
  readonly place: Place;
  readonly faces: NodeFaces;
  readonly selection: Selection;
  readonly look: (id: Id) => NodeLook;
}

export interface StageOptions {
  readonly snap: boolean;
  readonly isReadOnly: boolean;
  readonly links: "spline" | "linear" | "straight" | "hidden";
  readonly wheel: "zoom" | "pan";
  readonly badges: Badges;
}

/** Whether a link carries a gradient, and where one ends. */
export type LinkGradient = (link: Id) => "carries" | "stops" | undefined;
