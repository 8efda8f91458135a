import { useEffect, useRef } from "preact/hooks";
import { GraphsPanel } from "../panels/graphs-panel.tsx";
import { Icon, type IconName } from "../panels/icon.tsx";
import { Inspector } from "../panels/inspector.tsx";
import { ModelsPanel } from "../panels/models-panel.tsx";
import { NodesPanel } from "../panels/nodes-panel.tsx";
import { RunsPanel } from "../panels/runs-panel.tsx";
import { isInspectorOpen, openRail, setInspector, setRail } from "../state/panels.ts";
import { prefs, setPrefs } from "../state/prefs.ts";
import { openers, stageRef } from "./stage-ref.ts";

const PANELS = [
  ["nodes", "Nodes", "nodes"],
  ["graphs", "Graphs", "graphs"],
  ["models", "Models", "models"],
  ["runs", "Runs", "runs"],
] as const satisfies readonly (readonly [string, string, IconName])[];

export function Rail() {
  const open = openRail.value;
  const panel = useRef<HTMLElement>(null);
  const { railWidth } = prefs.value;
  useEffect(() => {
    if (panel.current) panel.current.style.width = `${railWidth}px`;
  }, [open, railWidth]);
  return (
    <div class="rail">
      <nav aria-label="Panels">
        {PANELS.map(([id, title, icon]) => (
          <button key={id} type="button" class="rail-button" aria-expanded={open === id} onClick={() => setRail(open === id ? null : id)}>
            <Icon name={icon} />
            {title}
          </button>
        ))}
      </nav>
      {open && (
        <aside class="panel" aria-label={PANELS.find((p) => p[0] === open)?.[1]} ref={panel}>
          <div class="panel-head">
            <h2>{PANELS.find((p) => p[0] === open)?.[1]}</h2>
            <button type="button" class="icon-button" aria-label="Close the panel" onClick={() => setRail(null)}>
              <Icon name="close" />
            </button>
          </div>
          {open === "nodes" && <NodesPanel centre={() => stageRef.current?.centre ?? [0, 0]} />}
          {open === "graphs" && <GraphsPanel openFile={() => openers.files()} />}
          {open === "models" && <ModelsPanel />}
          {open === "runs" && <RunsPanel />}
          <Grip label="Width of the panel" value={railWidth} sign={1} set={(w) => setPrefs({ railWidth: clamp(w, 200, 640) })} />
        </aside>
      )}
    </div>
  );
}

export function Side() {
  const side = useRef<HTMLElement>(null);
  const { inspectorWidth } = prefs.value;
  const inspector = isInspectorOpen.value;
  useEffect(() => {
    if (side.current) side.current.style.width = `${inspectorWidth}px`;
  }, [inspector, inspectorWidth]);
  if (!inspector) return null;
  return (
    <aside class="panel side" aria-label="Inspector" ref={side}>
      <div class="panel-head">
        <h2>Inspector</h2>
        <button type="button" class="icon-button" aria-label="Close the inspector" onClick={() => setInspector(false)}>
          <Icon name="close" />
        </button>
      </div>
      <Inspector />
      <Grip label="Width of the inspector" value={inspectorWidth} sign={-1} set={(w) => setPrefs({ inspectorWidth: clamp(w, 240, 800) })} />
    </aside>
  );
}

function clamp(v: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, Math.round(v)));
}

function Grip({
  label,
  value,
  sign,
  set,
}: {
  readonly label: string;
  readonly value: number;
  readonly sign: 1 | -1;
  readonly set: (width: number) => void;
}) {
  return (
    <div
      class="grip"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={value}
      tabIndex={0}
      onKeyDown={(e) => {
        const by = e.key === "ArrowRight" ? 16 : e.key === "ArrowLeft" ? -16 : 0;
        if (by === 0) return;
        e.preventDefault();
        e.stopPropagation();
        set(value + by * sign);
      }}
      onPointerDown={(e) => {
        const start = e.clientX;
        const el = e.currentTarget;
        el.setPointerCapture(e.pointerId);
        const move = (m: PointerEvent): void => set(value + (m.clientX - start) * sign);
        el.addEventListener("pointermove", move);
        el.addEventListener("pointerup", () => el.removeEventListener("pointermove", move), { once: true });
      }}
    />
  );
}
