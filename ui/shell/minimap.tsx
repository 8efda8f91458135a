// The whole graph in small; a click or a drag moves the view.
import { useEffect, useRef } from "preact/hooks";
import { socketColor } from "../canvas/socket-look.ts";
import { readTheme } from "../canvas/theme.ts";
import { boundsOf } from "../doc/arrange.ts";
import { typeName } from "../doc/document.ts";
import { outerRect } from "../doc/node-layout.ts";
import { useApp } from "../state/context.ts";
import { prefs } from "../state/prefs.ts";
import { stageRef } from "./stage-ref.ts";

const WIDTH = 180;
const HEIGHT = 120;

export function Minimap() {
  const app = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const map = useRef({ scale: 1, x: 0, y: 0 });
  const graph = app.editor.graph.value;
  const selection = app.editor.selection.value;
  const view = app.editor.tab.value.views[app.editor.path.join(":")];
  const { theme } = prefs.value;
  useEffect(() => {
    const el = canvas.current;
    const ctx = el?.getContext("2d");
    const bounds = boundsOf(graph.nodes);
    if (!el || !ctx || !bounds) return;
    const ratio = devicePixelRatio || 1;
    el.width = WIDTH * ratio;
    el.height = HEIGHT * ratio;
    ctx.scale(ratio, ratio);
    const colors = readTheme(document.documentElement);
    const scale = Math.min((WIDTH - 16) / bounds.width, (HEIGHT - 16) / bounds.height, 0.2);
    const x0 = WIDTH / 2 - (bounds.x + bounds.width / 2) * scale;
    const y0 = HEIGHT / 2 - (bounds.y + bounds.height / 2) * scale;
    map.current = { scale, x: x0, y: y0 };
    const chosen = new Set(selection.nodes.map(String));
    for (const node of graph.nodes) {
      const [x, y, w, h] = outerRect(node);
      const first = node.outputs[0];
      ctx.fillStyle = chosen.has(String(node.id)) ? colors.accent : first ? socketColor(typeName(first.type), colors) : colors.t3;
      ctx.globalAlpha = chosen.has(String(node.id)) ? 1 : 0.6;
      ctx.fillRect(x0 + x * scale, y0 + y * scale, Math.max(1.5, w * scale), Math.max(1.5, h * scale));
    }
    const board = document.querySelector("canvas.board");
    if (!view || !board) return;
    const { width, height } = board.getBoundingClientRect();
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colors.t2;
    ctx.strokeRect(x0 - view.offset[0] * scale, y0 - view.offset[1] * scale, (width / view.scale) * scale, (height / view.scale) * scale);
  }, [graph, selection, view, theme]);
  const go = (e: PointerEvent): void => {
    const stage = stageRef.current;
    const el = canvas.current;
    const board = document.querySelector("canvas.board");
    if (!stage || !el || !board || e.buttons === 0) return;
    const box = el.getBoundingClientRect();
    const { scale, x, y } = map.current;
    const { width, height } = board.getBoundingClientRect();
    const zoom = stage.view.scale;
    stage.view = {
      scale: zoom,
      offset: [width / 2 / zoom - (e.clientX - box.left - x) / scale, height / 2 / zoom - (e.clientY - box.top - y) / scale],
    };
  };
  return (
    <div class="minimap">
      <canvas
        ref={canvas}
        role="img"
        aria-label="Minimap"
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId);
          go(e);
        }}
        onPointerMove={go}
      />
    </div>
  );
}
