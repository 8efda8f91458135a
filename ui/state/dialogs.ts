// What may stand over the window, and what may be open at its foot.
import type { FileRef } from "../../engine/api/files.ts";
import type { Id, Place } from "../doc/document.ts";

export type Dialog =
  | { readonly kind: "gallery" }
  | { readonly kind: "settings" }
  | { readonly kind: "shortcuts" }
  | { readonly kind: "palette"; readonly query?: string }
  | { readonly kind: "viewer"; readonly pictures: readonly FileRef[]; readonly index: number; readonly before?: FileRef }
  | { readonly kind: "save"; readonly tab: string }
  | { readonly kind: "close"; readonly tab: string }
  | { readonly kind: "conflict"; readonly tab: string }
  | { readonly kind: "form" }
  | { readonly kind: "rename-group"; readonly index: number; readonly title: string }
  | { readonly kind: "rename-graph"; readonly name: string }
  | { readonly kind: "help"; readonly type: string }
  | { readonly kind: "compare"; readonly run: string }
  | { readonly kind: "result"; readonly node: string }
  | { readonly kind: "publish"; readonly node: Id }
  | { readonly kind: "mask"; readonly place: Place; readonly node: Id; readonly widget: string; readonly picture: string };

export type Drawer = "problems" | "queue" | "log" | null;
