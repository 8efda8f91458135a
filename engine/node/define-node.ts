// One declaration per node: validation, widgets, /object_info, docs, CLI help and cache keys all come from it. What it does stands apart.
import type { z } from "zod";
import type { NodeContext } from "./context.ts";
import type { Socket } from "./socket.ts";

/** How a widget is shown, and what only a person needs to know. Everything else is in its zod schema. */
export interface WidgetHints {
  readonly tooltip?: string;
  readonly multiline?: boolean;
  readonly step?: number;
  readonly display?: "number" | "slider";
  /** The value names a file: in the input directory, or in a model folder. Its fingerprint becomes part of the cache key. */
  readonly file?:
    | {
        readonly kind: "input" /** `picture`: checked by the first bytes. `dataset`: a list or a folder, whose files beside and below are read too. */;
        readonly holds?: "picture" | "dataset";
      }
    | {
        readonly kind: "model";
        readonly folder: string /** Of the names that are offered, in folders that hold several kinds. */;
        readonly ends?: string;
      };
  /** The widget is there only while others have one of these values: it is one choice's own. Else its default is used. */
  readonly when?: Readonly<Record<string, readonly string[]>>;
  /**
   * Read only while another widget of the node has one of these values: an editor shows it only then (ComfyUI's DynamicCombo does the
   * same). It keeps its place in `widgets_values`, so saved files stay as they are.
   */
  readonly onlyFor?: { readonly input: string; readonly values: readonly string[] };
  /** ComfyUI's node of the same name has no such widget: in files from there, another's value may stand in its place. */
  readonly ours?: boolean;
  /** ComfyUI's extra `control_after_generate` entry follows the value in `widgets_values`. */
  readonly controlAfterGenerate?: boolean;
}

/** A value typed into the node (or linked from a node of the matching primitive type). */
export interface WidgetInput<T> {
  readonly kind: "widget";
  /** Has a default unless the value is required. */
  readonly schema: z.ZodType<T>;
  readonly hints: WidgetHints;
}

/** A value that only comes over a link. */
export interface SocketInput<T> {
  readonly kind: "socket";
  readonly socket: Socket<T>;
  readonly optional: boolean;
  readonly tooltip: string | undefined;
}

export type InputSpec = WidgetInput<unknown> | SocketInput<unknown>;
export type InputSpecs = Readonly<Record<string, WidgetInput<never> | SocketInput<never>>> | Readonly<Record<string, InputSpec>>;
export type OutputSpecs = Readonly<Record<string, Socket<unknown>>>;

/** Types of the values `run` receives. */
export type InputValues<I extends Readonly<Record<string, InputSpec>>> = {
  readonly [K in keyof I]: I[K] extends WidgetInput<infer T> ? T : I[K] extends SocketInput<infer T> ? T : never;
};
/** Types of the values `run` returns. */
export type OutputValues<O extends OutputSpecs> = { readonly [K in keyof O]: O[K] extends Socket<infer T> ? T : never };

/** What a dry run expects of a node's run. */
export interface Estimate {
  /** Steps in the node's own unit: sampling steps, updates. */
  readonly steps?: number;
  readonly seconds?: number;
  /** Peak resident memory. */
  readonly memoryBytes?: number;
  /** Written during the run. */
  readonly diskBytes?: number;
  /** Other lines for a person. */
  readonly notes?: readonly string[];
}

export interface DryRun {
  readonly issues?: readonly { readonly input?: string; readonly message: string; readonly hint?: string }[];
  readonly estimate?: Estimate;
}

export interface NodeDeclaration<
  I extends Readonly<Record<string, InputSpec>> = Readonly<Record<string, InputSpec>>,
  O extends OutputSpecs = OutputSpecs,
> {
  /** PascalCase. ComfyUI's name where the node is ComfyUI's. */
  readonly type: string;
  /** Semver. Part of the cache key: raise it when results change. */
  readonly version: string;
  /** `a/b`. */
  readonly category: string;
  /** One sentence for palette, docs and CLI. */
  readonly summary: string;
  /** Order is ComfyUI's `widgets_values` order. */
  readonly inputs: I;
  /** Order is the output slot order; keys are the output names. */
  readonly outputs: O;
  /** `pure`: same inputs, same outputs. `seeded`: pure given its seed widget. `never`: runs each time. */
  readonly cache: "pure" | "seeded" | "never";
  /** A root of execution: it saves or shows something. */
  readonly isOutput?: boolean;
  /** Not settled yet, or replaced by another node. ComfyUI's flags, where the node is ComfyUI's. */
  readonly stage?: "experimental" | "deprecated";
  /** ComfyUI allows undeclared link inputs (`image4`, `reward_3` …) matching this pattern; they arrive in `extra`. */
  readonly variadic?: { readonly prefix: string; readonly socket: Socket<unknown> };
  /** Cheap checks across inputs, before anything runs. Linked inputs are absent. Returns messages. */
  readonly check?: (
    inputs: Readonly<Partial<InputValues<I>>>,
  ) => readonly { readonly input: string; readonly message: string; readonly hint?: string }[];
  /**
   * For a node that only passes one input on (a primitive, a switch): which one, given the widget values known before the run
   * (linked ones are absent unless they are known too); undefined when that is not known. The branches behind its other links do not run.
   */
  readonly passes?: (inputs: Readonly<Partial<InputValues<I>>>) => string | undefined;
  /** `run` only opens headers or combines modules, at almost no cost: a dry run calls it for its outputs. */
  readonly isCheap?: boolean;
  /**
   * How a cancelled run ends inside this node. Default: `ctx.progress` and `ctx.compute` throw CANCELLED, and 3 s later the process
   * is killed. "finish": the node looks at `ctx.signal` itself, ends its step, saves, and throws CANCELLED; nothing interrupts it.
   */
  readonly stop?: "finish";
}

/** What a node does. It may import anything a node may; its declaration imports what a browser can load. */
export interface NodeBody<I extends Readonly<Record<string, InputSpec>>, O extends OutputSpecs> {
  /**
   * What a dry run reports about this node: every configuration error at once, and what it would cost. Inputs that only a real run
   * can make are absent. Nothing can be saved. Throwing is one issue.
   */
  readonly dryRun?: (
    inputs: Readonly<Partial<InputValues<I>>>,
    ctx: NodeContext,
    extra: Readonly<Record<string, unknown>>,
  ) => Promise<DryRun> | DryRun;
  readonly run: (
    inputs: InputValues<I>,
    ctx: NodeContext,
    extra: Readonly<Record<string, unknown>>,
  ) => Promise<OutputValues<O>> | OutputValues<O>;
}

/** A declaration whose input and output types are known only to itself. */
export interface AnyDeclaration extends Omit<NodeDeclaration, "check" | "passes"> {
  check?(
    inputs: Readonly<Record<string, unknown>>,
  ): readonly { readonly input: string; readonly message: string; readonly hint?: string }[];
  passes?(inputs: Readonly<Record<string, unknown>>): string | undefined;
}

/** A declaration with its body. */
export interface AnyNode extends AnyDeclaration {
  dryRun?(inputs: Readonly<Record<string, unknown>>, ctx: NodeContext, extra: Readonly<Record<string, unknown>>): Promise<DryRun> | DryRun;
  run(
    inputs: Readonly<Record<string, unknown>>,
    ctx: NodeContext,
    extra: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>;
}

/** A widget. Give the schema a default and, for numbers, bounds: they become the widget's. */
export function widget<T>(schema: z.ZodType<T>, hints: WidgetHints = {}): WidgetInput<T> {
  return { kind: "widget", schema, hints };
}

/** A required link. */
export function input<T>(socketType: Socket<T>, tooltip?: string): SocketInput<T> {
  return { kind: "socket", socket: socketType, optional: false, tooltip };
}

/** An optional link: the value is undefined when nothing is connected. */
export function optional<T>(socketType: Socket<T>, tooltip?: string): SocketInput<T | undefined> {
  return { kind: "socket", socket: socketType, optional: true, tooltip };
}

/** Declares a node, in `NAME.node.ts`: everything but what it does. */
export function declareNode<const I extends Readonly<Record<string, InputSpec>>, const O extends OutputSpecs>(
  declaration: NodeDeclaration<I, O>,
): NodeDeclaration<I, O> {
  return declaration;
}

/** What a declared node does, in `NAME.ts`. */
export function implementNode<const I extends Readonly<Record<string, InputSpec>>, const O extends OutputSpecs>(
  declaration: NodeDeclaration<I, O>,
  body: NodeBody<I, O>,
): NodeDeclaration<I, O> & NodeBody<I, O> {
  return { ...declaration, ...body };
}

/** Both at once, for nodes that never meet a browser: those of tests. */
export function defineNode<const I extends Readonly<Record<string, InputSpec>>, const O extends OutputSpecs>(
  node: NodeDeclaration<I, O> & NodeBody<I, O>,
): NodeDeclaration<I, O> & NodeBody<I, O> {
  return node;
}
