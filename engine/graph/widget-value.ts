import { z } from "zod";
import { didYouMean } from "../base/did-you-mean.ts";
import type { CatalogueWidget } from "./catalogue.ts";
import { unwrapValue } from "./prompt.ts";

export type WidgetResult =
  | {
      readonly ok: true;
      readonly value: unknown /** A change to the value that a person would want to know about. */;
      readonly note?: string;
    }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint?: string };

/**
 * A widget's value as the node receives it. Harmless differences are accepted ("5" for 5, "false" for false, 7 for "7", bigint for a whole number);
 * undefined asks for the default. Never throws.
 */
export function parseWidget(widget: CatalogueWidget, raw: unknown): WidgetResult {
  const given = unwrapValue(raw);
  // The workflow comes from Windows.
  const value = widget.file && typeof given === "string" ? given.replaceAll("\\", "/") : given;
  const first = z.safeParse(widget.schema, value);
  if (first.success) return { ok: true, value: first.data };
  let told = first.error.issues[0];
  for (const candidate of alternatives(widget, value)) {
    const again = z.safeParse(widget.schema, candidate);
    if (again.success) {
      const isCut = typeof value === "number" && typeof again.data === "number" && again.data !== value;
      return {
        ok: true,
        value: again.data,
        ...(isCut && { note: `${widget.name}: ${value} is not a whole number: ${again.data} is used` }),
      };
    }
    if (told?.code === "invalid_type") told = again.error.issues[0];
  }
  return refusal(widget, value, told);
}

function* alternatives(widget: CatalogueWidget, value: unknown): Generator<unknown> {
  switch (widget.type) {
    case "INT":
    case "FLOAT":
      if (typeof value === "bigint") yield Number(value);
      if (typeof value === "boolean") yield Number(value);
      if (widget.type === "INT" && typeof value === "number" && Number.isFinite(value)) yield Math.trunc(value);
      if (typeof value === "number" && Number.isSafeInteger(value)) yield BigInt(value);
      if (typeof value === "string" && /^\s*[+-]?\d{1,40}\s*$/.test(value)) {
        const exact = BigInt(value.trim().replace(/^\+/, ""));
        yield Number(exact);
        yield exact;
      } else if (typeof value === "string" && value.length <= 64 && value.trim() !== "" && Number.isFinite(Number(value)))
        yield Number(value);
      break;
    case "BOOLEAN":
      if (value === 0 || value === 1) yield value === 1;
      if (typeof value === "string" && /^(true|false)$/i.test(value)) yield value.toLowerCase() === "true";
      break;
    case "STRING":
      if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") yield String(value);
      break;
    case "COMBO":
      for (const option of widget.options ?? []) if (String(option) === String(value)) yield option;
  }
}

function refusal(widget: CatalogueWidget, value: unknown, told: z.core.$ZodIssue | undefined): WidgetResult {
  const shown = show(value);
  if (value === undefined)
    return { ok: false, code: "REQUIRED_INPUT_MISSING", message: `${widget.name} has no value`, hint: expected(widget) };
  if (widget.type === "COMBO") {
    const options = (widget.options ?? []).map(String);
    const near = typeof value === "string" ? didYouMean(value, options) : undefined;
    const list = options.length > 20 ? `one of ${options.length} choices` : `one of ${options.join(", ")}`;
    const hint = near === undefined ? `choose ${list}` : `did you mean ${near}?`;
    return { ok: false, code: "VALUE_NOT_IN_LIST", message: `${widget.name}: ${shown} is not a choice`, hint };
  }
  if (value === "")
    return {
      ok: false,
      code: "REQUIRED_INPUT_MISSING",
      message: `${widget.name} is empty`,
      hint:
        widget.file?.kind === "input"
          ? "choose a file of the input folder"
          : widget.file
            ? `choose a file of the model folder ${widget.file.folder}`
            : "type something",
    };
  switch (told?.code) {
    case "too_small":
      return {
        ok: false,
        code: "VALUE_SMALLER_THAN_MIN",
        message: `${widget.name}: ${shown} is below the minimum of ${told.minimum}`,
        hint: `use ${told.minimum} or more`,
      };
    case "too_big":
      return {
        ok: false,
        code: "VALUE_BIGGER_THAN_MAX",
        message: `${widget.name}: ${shown} is above the maximum of ${told.maximum}`,
        hint: `use ${told.maximum} or less`,
      };
    case "invalid_type":
    case "invalid_union":
      return {
        ok: false,
        code: "INVALID_INPUT_TYPE",
        message: `${widget.name}: ${shown} is not a value of type ${widget.type}`,
        hint: expected(widget),
      };
    default:
      return {
        ok: false,
        code: "INVALID_VALUE",
        message: `${widget.name}: ${shown}: ${told?.message ?? "refused"}`,
        hint: expected(widget),
      };
  }
}

function expected(widget: CatalogueWidget): string {
  return widget.type === "COMBO"
    ? `choose one of ${(widget.options ?? []).slice(0, 20).join(", ")}`
    : `give a value of type ${widget.type}`;
}

function show(value: unknown): string {
  const text =
    typeof value === "string"
      ? JSON.stringify(value)
      : typeof value === "object" && value !== null
        ? Array.isArray(value)
          ? "a list"
          : "an object"
        : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
