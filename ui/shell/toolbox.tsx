// What can be done with the selected nodes, beside them. It keeps out of the way while they are moved.
import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { badgesOf } from "../doc/badges.ts";
import { nodeById } from "../doc/document.ts";
import { outerRect } from "../doc/node-layout.ts";
import { Icon, type IconName } from "../panels/icon.tsx";
import { useApp } from "../state/context.ts";
import { prefs } from "../state/prefs.ts";
import { keysOf } from "./actions/action.ts";
import { actionsRef } from "./actions-ref.ts";
import { colorSelection, NODE_COLORS } from "./node-colors.ts";
import { stageRef } from "./stage-ref.ts";

const TOOLS = [
  ["run.selected", "play"],
  ["node.look", "image"],
  ["node.mask", "brush"],
  ["node.bypass", "bypass"],
  ["node.mute", "mute"],
  ["node.pin", "pin"],
  ["graph.enter", "open"],
  ["node.subgraph", "subgraph"],
  ["node.publish", "star"],
  ["edit.delete", "trash"],
] as const satisfies readonly (readonly [string, IconName])[];

const GAP = 10;
/** A node's badges stand above it. */
const BADGE_ROOM = 19;

export function Toolbox() {
  const app = useApp();
  const box = useRef<HTMLDivElement>(null);
  const [isColoring, setColoring] = useState(false);
  const [isPressed, setPressed] = useState(false);
  const { nodes: ids } = app.editor.selection.value;
  const graph = app.editor.graph.value;
  const chosen = ids.flatMap((id) => nodeById(graph, id) ?? []);
  useEffect(() => setColoring(false), [ids]);
  useEffect(() => {
    const board = document.querySelector("canvas.board");
    const press = (): void => setPressed(true);
    const release = (): void => setPressed(false);
    board?.addEventListener("pointerdown", press);
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
    return () => {
      board?.removeEventListener("pointerdown", press);
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
    };
  }, []);
  const place = (): void => {
    const el = box.current;
    const stage = stageRef.current;
    const parent = el?.parentElement;
    // Both are read here so that the effect below runs when the view or the graph changes.
    const { graph: now, selection, tab } = app.editor;
    void tab.value.views;
    const nodes = selection.value.nodes.flatMap((id) => nodeById(now.value, id) ?? []);
    if (!el || !stage || !parent || nodes.length === 0) return;
    const rects = nodes.map((n) => {
      const [x, y, w, h] = outerRect(n);
      const above = badgesOf(app.editor.doc.value, n, app.editor.faces, prefs.value.badges).length > 0 ? BADGE_ROOM : 0;
      return stage.toWindow([x, y - above, w, h + above]);
    });
    const area = parent.getBoundingClientRect();
    const left = Math.min(...rects.map((r) => r[0])) - area.left;
    const right = Math.max(...rects.map((r) => r[0] + r[2])) - area.left;
    const top = Math.min(...rects.map((r) => r[1])) - area.top;
    const bottom = Math.max(...rects.map((r) => r[1] + r[3])) - area.top;
    const { offsetWidth: width, offsetHeight: height } = el;
    const y = top - height - GAP >= 8 ? top - height - GAP : bottom + GAP;
    el.style.left = `${Math.max(8, Math.min(area.width - width - 8, (left + right - width) / 2))}px`;
    el.style.top = `${y}px`;
    el.style.visibility = right < 0 || left > area.width || bottom < 0 || top > area.height || y > area.height - height ? "hidden" : "";
  };
  useSignalEffect(place);
  useEffect(place);
  if (chosen.length === 0 || isPressed || app.isReadOnly.value || app.isList.value) return null;
  return (
    <div class="toolbox" role="toolbar" aria-label="Selected nodes" ref={box}>
      {TOOLS.flatMap(([id, icon]) => {
        const action = actionsRef.current.find((a) => a.id === id);
        if (!action || action.isEnabled?.() === false) return [];
        const [key] = keysOf(action);
        return [
          <button
            key={id}
            type="button"
            class="icon-button"
            aria-label={action.title}
            title={key === undefined ? action.title : `${action.title} (${key})`}
            onClick={() => void action.run()}
          >
            <Icon name={icon} />
          </button>,
        ];
      })}
      <button
        type="button"
        class="icon-button"
        aria-label="Colour"
        title="Colour"
        aria-expanded={isColoring}
        onClick={() => setColoring(!isColoring)}
      >
        <Icon name="palette" />
      </button>
      {isColoring && (
        <span class="swatches" role="group" aria-label="Colours">
          {[{ name: "No colour", color: undefined }, ...NODE_COLORS].map(({ name, color }) => (
            <button
              key={name}
              type="button"
              aria-label={name}
              title={name}
              ref={(el) => {
                if (el) el.style.background = color ?? "none";
              }}
              onClick={() => colorSelection(app, color)}
            />
          ))}
        </span>
      )}
    </div>
  );
}
