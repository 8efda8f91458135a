// Reads a widget's schema: which of ComfyUI's widget types it is, its bounds, options and default.
import { z } from "zod";
import type { WidgetType } from "../graph/catalogue.ts";

export interface WidgetDescription {
  readonly type: WidgetType;
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  readonly options?: readonly (string | number)[];
  readonly required: boolean;
  /** undefined when there is none. */
  readonly default: unknown;
}

/** undefined when the schema is not something a person can type in (an object, a tuple …). */
export function describeWidget(schema: z.core.$ZodType): WidgetDescription | undefined {
  const absent = z.safeParse(schema, undefined);
  const core = describeCore(schema);
  return core && { ...core, required: !absent.success, default: absent.success ? absent.data : undefined };
}

type Core = Omit<WidgetDescription, "required" | "default">;

function describeCore(schema: z.core.$ZodType): Core | undefined {
  if (schema instanceof z.ZodNumber) return { type: schema.isInt ? "INT" : "FLOAT", ...bounds(schema.minValue, schema.maxValue) };
  if (schema instanceof z.ZodBigInt) return { type: "INT", ...bounds(schema.minValue, schema.maxValue) };
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return { type: "STRING" };
  if (schema instanceof z.ZodBoolean) return { type: "BOOLEAN" };
  if (schema instanceof z.ZodEnum) return combo(schema.options);
  if (schema instanceof z.ZodLiteral) return combo([...schema.values]);
  if (schema instanceof z.ZodUnion) return union(schema.options.map((o) => describeCore(o)));
  if (schema instanceof z.ZodPipe) return describeCore(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodCatch
  )
    return describeCore(schema.def.innerType);
  return undefined;
}

function bounds(min: number | bigint | null | undefined, max: number | bigint | null | undefined): Pick<Core, "min" | "max"> {
  const finite = (v: number | bigint | null | undefined): v is number | bigint =>
    v !== null && v !== undefined && Math.abs(Number(v)) < 1e308;
  return { ...(finite(min) && { min }), ...(finite(max) && { max }) };
}

function combo(values: readonly unknown[]): Core | undefined {
  const options = values.filter((v) => typeof v === "string" || typeof v === "number");
  return options.length > 0 && options.length === values.length ? { type: "COMBO", options } : undefined;
}

/** Unions of choices are one choice, and a seed may be a number or a bigint. */
function union(members: readonly (Core | undefined)[]): Core | undefined {
  const known = members.filter((m) => m !== undefined);
  const [first] = known;
  if (!first || known.length !== members.length) return undefined;
  if (known.every((m) => m.type === "COMBO")) return combo(known.flatMap((m) => m.options ?? []));
  if (!known.every((m) => m.type === first.type)) return undefined;
  const lowest = extreme(
    known.map((m) => m.min),
    (a, b) => a < b,
  );
  const highest = extreme(
    known.map((m) => m.max),
    (a, b) => a > b,
  );
  return { type: first.type, ...bounds(lowest, highest) };
}

function extreme(
  values: readonly (number | bigint | undefined)[],
  better: (a: number | bigint, b: number | bigint) => boolean,
): number | bigint | undefined {
  let best = values[0];
  for (const v of values)
    if (v === undefined || best === undefined) return undefined;
    else if (better(v, best)) best = v;
  return best;
}
