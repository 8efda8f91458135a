// What the graph needs to know about node types. engine/node's Registry implements it; the editor may build one from /object_info.
import type { z } from "zod";

/** ComfyUI's names of the types a person can type in. */
export type WidgetType = "INT" | "FLOAT" | "STRING" | "BOOLEAN" | "COMBO";

/** A widget value that names a file. */
export type FileKind =
  | { readonly kind: "input" /** Checked by the first bytes. */; readonly holds?: "picture" | "dataset" }
  | {
      readonly kind: "model";
      readonly folder: string /** Of the names that are offered, in folders that hold several kinds. */;
      readonly ends?: string;
    };

export interface CatalogueWidget {
  readonly kind: "widget";
  readonly name: string;
  readonly type: WidgetType;
  readonly schema: z.ZodType<unknown>;
  /** No default: a value must be given. */
  readonly required: boolean;
  /** Choices of a COMBO. */
  readonly options?: readonly (string | number)[];
  readonly file?: FileKind;
  /** The widget exists only while other widgets have one of these values. */
  readonly when?: Readonly<Record<string, readonly string[]>>;
  /** ComfyUI's node of the same name has no such widget. */
  readonly ours: boolean;
  /** An extra entry follows the value in `widgets_values`. */
  readonly controlAfterGenerate: boolean;
}

/** Whether a widget exists, given the values of the others; it does when its condition is not known. */
export function isThere({ when = {} }: Pick<CatalogueWidget, "when">, of: (name: string) => unknown): boolean {
  return Object.entries(when).every(([name, values]) => {
    const value = of(name);
    return value === undefined || values.includes(String(value));
  });
}

export interface CatalogueSocket {
  readonly kind: "socket";
  readonly name: string;
  /** Socket name, `*`, or a comma union. */
  readonly type: string;
  readonly optional: boolean;
}

export type CatalogueInput = CatalogueWidget | CatalogueSocket;

/** A finding of a node's own check. */
export interface CheckFinding {
  readonly input: string;
  readonly message: string;
  readonly hint?: string;
}

export interface CatalogueNode {
  readonly type: string;
  readonly version: string;
  readonly cache: "pure" | "seeded" | "never";
  readonly isOutput: boolean;
  /** In declared order. */
  readonly inputs: ReadonlyMap<string, CatalogueInput>;
  /** By slot. */
  readonly outputs: readonly { readonly name: string; readonly type: string }[];
  /** Undeclared links whose names are the prefix and a number. */
  readonly variadic: { readonly prefix: string; readonly type: string } | undefined;
  /** Cheap checks across the literal widget values. */
  check(inputs: Readonly<Record<string, unknown>>): readonly CheckFinding[];
  /** The one input this node passes on, given the widget values known before the run; undefined when that is not known. */
  passes(inputs: Readonly<Record<string, unknown>>): string | undefined;
}

export interface Catalogue {
  get(type: string): CatalogueNode | undefined;
  /** Every type, in declared order. */
  types(): readonly string[];
}
