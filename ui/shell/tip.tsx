// The tooltip of whatever the pointer rests on.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Target } from "../canvas/stage-types.ts";
import { sourceOf } from "../doc/badges.ts";
import { linkById, nodeById, type Point, typeName } from "../doc/document.ts";
import { showValue } from "../doc/widgets.ts";
import { placePopup } from "../panels/place-popup.ts";
import { sentence } from "../state/attempt.ts";
import { useApp } from "../state/context.ts";

const STAGES = { experimental: "Experimental: it may change.", deprecated: "Deprecated: another node has taken its place." };

export function Tip({ target, at }: { readonly target: Target; readonly at: Point }) {
  const app = useApp();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (box.current) placePopup(box.current, [at[0] + 14, at[1] + 18]);
  }, [at]);
  const graph = app.editor.graph.value;
  const node = "id" in target ? nodeById(graph, target.id) : undefined;
  const face = node && app.editor.faces.get(node.type);
  let lines: readonly (string | undefined)[] = [];
  if (target.kind === "socket" && node) {
    const slot = target.side === "input" ? node.inputs[target.slot] : node.outputs[target.slot];
    const declared = target.side === "input" ? face?.inputs.find((i) => i.name === slot?.name) : undefined;
    const isOptional = declared?.kind === "socket" && declared.optional;
    lines = [`${slot?.name ?? ""} · ${typeName(slot?.type)}${isOptional ? " · optional" : ""}`, declared?.tooltip];
  } else if (target.kind === "widget") {
    const { face: widget, value } = target.box.state;
    const range =
      widget.min !== undefined && widget.max !== undefined && (widget.type === "INT" || widget.type === "FLOAT")
        ? `${short(widget.min)} to ${short(widget.max)}`
        : undefined;
    const text = showValue(value);
    lines = [[widget.name, range].filter(Boolean).join(" · "), widget.tooltip, text.length > 24 ? text.slice(0, 300) : undefined];
  } else if (target.kind === "node" && target.part === "title" && node) {
    const problems = app.problems.all.value.filter((p) => p.node === app.editor.promptId(node.id));
    lines =
      problems.length > 0
        ? problems.flatMap((p) => [sentence(p.message), p.hint ? sentence(p.hint) : undefined])
        : [
            face?.summary ?? (face ? undefined : `${node.type} is not known here. Its data is kept.`),
            face?.stage && STAGES[face.stage],
            face || sourceOf(node) === undefined ? undefined : `It comes from ${sourceOf(node)}.`,
          ];
  } else if (target.kind === "link") {
    const link = linkById(graph, target.id);
    const from = link && nodeById(graph, link.origin_id);
    const to = link && nodeById(graph, link.target_id);
    const flow = app.gradient.value.get(String(target.id));
    if (link && from && to)
      lines = [
        `${typeName(link.type)}: ${from.title ?? from.type} → ${to.title ?? to.type}`,
        flow && (flow.carries ? "A gradient runs through this link." : `The gradient stops here. ${flow.reason}`),
      ];
  }
  const shown = lines.filter((l): l is string => l !== undefined && l !== "");
  if (shown.length === 0) return null;
  return (
    <div class="tip" ref={box} role="tooltip">
      {shown.map((line, i) => (
        <p key={line} class={i === 0 ? "" : "dim"}>
          {line}
        </p>
      ))}
    </div>
  );
}

function short(n: number | bigint): string {
  return typeof n === "bigint" || Math.abs(n) > 1e9 ? Number(n).toExponential(1) : String(n);
}
