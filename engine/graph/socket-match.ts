import type { WidgetType } from "./catalogue.ts";

/** Whether an output may be linked to a socket: equal names, `*` on either side, or comma unions that share a name. */
export function socketsMatch(output: string, input: string): boolean {
  if (output === input) return true;
  const outputs = names(output);
  const inputs = names(input);
  return outputs.some((o) => o === "*" || inputs.includes(o)) || inputs.includes("*");
}

/** Whether an output may feed a widget. An INT is also a FLOAT; choices travel as STRING, and the value is checked when it arrives. */
export function socketFeedsWidget(output: string, widget: WidgetType): boolean {
  if (socketsMatch(output, widget)) return true;
  const outputs = names(output);
  if (widget === "FLOAT") return outputs.includes("INT");
  if (widget === "COMBO") return outputs.includes("STRING") || outputs.includes("INT");
  return widget === "STRING" && outputs.includes("COMBO");
}

/** Whether a socket takes a value of any type: then a typed-in value will do as well as a linked one. */
export function takesAnything(input: string): boolean {
  return names(input).includes("*");
}

function names(type: string): readonly string[] {
  return type.split(",").map((n) => n.trim());
}
