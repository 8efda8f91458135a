// The canvas on the page, and what floats over it: editors, search, menus, tooltips, minimap, breadcrumb.
import { effect, untracked } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { fileUrl } from "../../engine/api/files.ts";
import type { FacesShown } from "../../engine/api/shown.ts";
import { type NodeLook, PLAIN } from "../canvas/node-look.ts";
import { duration } from "../canvas/paint-node.ts";
import { Stage } from "../canvas/stage.ts";
import type { StageEvents, Target } from "../canvas/stage-types.ts";
import { boundsOf } from "../doc/arrange.ts";
import { type DocNode, type Id, nodeById, type Point, subgraphOf } from "../doc/document.ts";
import { outerRect, titleOf } from "../doc/node-layout.ts";
import { shownWidgets, widgetsOf } from "../doc/widgets.ts";
import { bytes } from "../panels/bytes.ts";
import { Icon } from "../panels/icon.tsx";
import type { App } from "../state/app.ts";
import { useApp } from "../state/context.ts";
import { NONE } from "../state/editor.ts";
import { inputRef } from "../state/input-name.ts";
import { picturesOf, secondsLeft } from "../state/node-runs.ts";
import { prefs } from "../state/prefs.ts";
import { say } from "../state/toasts.ts";
import { AddNode, type AddNodeOptions } from "./add-node.tsx";
import { ContextMenu, type MenuOptions } from "./context-menu.tsx";
import { type InPlace, InPlaceEditor } from "./in-place-editor.tsx";
import { ListView } from "./list-view.tsx";
import { lookAt } from "./look-at.ts";
import { Minimap } from "./minimap.tsx";
import { receiveFiles } from "./receive-files.ts";
import { openers, stageRef } from "./stage-ref.ts";
import { Tip } from "./tip.tsx";
import { Toolbox } from "./toolbox.tsx";

export function StageView() {
  const app = useApp();
  const holder = useRef<HTMLDivElement>(null);
  const board = useRef<HTMLCanvasElement>(null);
  const [adding, setAdding] = useState<AddNodeOptions | undefined>();
  const [menu, setMenu] = useState<MenuOptions | undefined>();
  const [inPlace, setInPlace] = useState<InPlace | undefined>();
  const [tip, setTip] = useState<{ readonly target: Target; readonly at: Point } | undefined>();

  useEffect(() => {
    const canvas = board.current;
    const box = holder.current;
    if (!canvas || !box) return undefined;
    let tipTimer: ReturnType<typeof setTimeout> | undefined;
    let tipKey = "";
    const events: StageEvents = {
      commands: (list, label) => {
        const before = app.editor.graph.value;
        if (!app.editor.perform(list, label)) return;
        if (list.some((c) => c.name === "nodes.duplicate")) {
          const old = new Set(before.nodes.map((n) => n.id));
          app.editor.selection.value = { ...NONE, nodes: app.editor.graph.value.nodes.flatMap((n) => (old.has(n.id) ? [] : [n.id])) };
          show(app, stage);
        } else show(app, stage);
      },
      select: (selection) => {
        app.editor.selection.value = selection;
      },
      viewChanged: (view) => app.editor.setView(view),
      editWidget: (id, widget, rect) => setInPlace({ kind: "widget", id, box: widget, rect }),
      editTitle: (target, rect) => setInPlace({ kind: "title", target, rect }),
      addNode: setAdding,
      menu: (target, at, pos) => {
        if (target.kind === "node" && !app.editor.selection.value.nodes.some((n) => String(n) === String(target.id)))
          app.editor.selection.value = { ...NONE, nodes: [target.id] };
        setMenu({ target, at, pos });
      },
      hover: (target, at) => {
        const key = target
          ? JSON.stringify([
              target.kind,
              "id" in target ? target.id : "",
              "slot" in target ? target.slot : "",
              "box" in target ? target.box.state.face.name : "",
            ])
          : "";
        if (key === tipKey) return;
        tipKey = key;
        clearTimeout(tipTimer);
        setTip(undefined);
        if (target) tipTimer = setTimeout(() => setTip({ target, at }), 500);
      },
      openSubgraph: (id) => app.editor.enter(id),
      openPicture: (id, index) => openPicture(app, id, index),
      lookAt: (id) => lookAt(app, id),
      say: (message) => say(message),
    };
    const stage = new Stage(canvas, events, options(app));
    stageRef.current = stage;
    const size = new ResizeObserver(() => stage.resize(box.clientWidth, box.clientHeight));
    size.observe(box);
    stage.resize(box.clientWidth, box.clientHeight);
    let shownAt = "";
    const stop = [
      effect(() => {
        const at = `${app.editor.tabId.value} ${app.editor.path.join(":")}`;
        show(app, stage);
        if (at === shownAt) return;
        shownAt = at;
        setInPlace(undefined);
        setMenu(undefined);
        untracked(() => {
          const { view } = app.editor;
          if (view) stage.view = view;
          else {
            const bounds = boundsOf(app.editor.graph.value.nodes);
            // A long chain opens at its beginning, large enough to read; the minimap shows the rest.
            if (bounds) stage.fitTo(bounds, { min: 0.6 });
            else stage.view = { scale: 1, offset: [box.clientWidth / 2, box.clientHeight / 2] };
          }
        });
      }),
      effect(() => stage.setOptions(options(app))),
      effect(() => {
        const flow = app.gradient.value;
        stage.setGradient((link) => {
          const found = flow.get(String(link));
          return found && (found.carries ? "carries" : "stops");
        });
      }),
      effect(() => {
        void prefs.value.theme;
        requestAnimationFrame(() => stage.readTheme());
      }),
    ];
    const dark = matchMedia("(prefers-color-scheme: dark)");
    // The page takes its colours at the same event, perhaps after this: they are read when it has them.
    const retheme = (): void => void requestAnimationFrame(() => stage.readTheme());
    dark.addEventListener("change", retheme);
    const at = (): Point => {
      const r = canvas.getBoundingClientRect();
      return [r.left + r.width / 2 - 170, r.top + Math.min(160, r.height / 4)];
    };
    openers.addNode = () => setAdding({ pos: stage.centre, at: at() });
    openers.connect = () => setMenu(connectMenu(app, stage));
    openers.title = (id) => {
      const rect = stage.titleRect(id);
      if (rect) setInPlace({ kind: "title", target: { node: id }, rect });
    };
    openers.widget = (id, name) => {
      const node = nodeById(app.editor.graph.value, id);
      const first = node && shownWidgets(app.editor.doc.value, node, app.editor.faces).find((w) => !w.linked)?.face.name;
      const found = (name ?? first) === undefined ? undefined : stage.widgetRect(id, name ?? first ?? "");
      if (found) setInPlace({ kind: "widget", id, box: found.box, rect: found.rect });
    };
    app.reveal = (id) => {
      const node = nodeById(app.editor.graph.value, id);
      if (!node) return;
      const [x, y, w, h] = outerRect(node);
      const [wx, wy, ww, wh] = stage.toWindow([x, y, w, h]);
      const r = canvas.getBoundingClientRect();
      const isVisible = wx >= r.left && wy >= r.top && wx + ww <= r.right && wy + wh <= r.bottom && stage.view.scale > 0.3;
      if (!isVisible) {
        const scale = Math.max(0.6, stage.view.scale);
        stage.view = { scale, offset: [r.width / 2 / scale - x - w / 2, r.height / 2 / scale - y - h / 2] };
      }
    };
    return () => {
      size.disconnect();
      dark.removeEventListener("change", retheme);
      for (const s of stop) s();
      stageRef.current = undefined;
    };
  }, [app]);

  const selected = app.editor.selection.value.nodes;
  const { nodes } = app.editor.graph.value;
  return (
    <section
      class="stage"
      ref={holder}
      aria-label="Canvas"
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => {
        e.preventDefault();
        const files = [...(e.dataTransfer?.files ?? [])];
        const type = e.dataTransfer?.getData("application/x-node-type") ?? "";
        const pos = stageRef.current?.toGraph([e.clientX, e.clientY]) ?? [0, 0];
        if (type !== "") app.editor.add({ name: "node.add", args: { place: app.editor.place.value, type, pos } });
        else if (files.length > 0) void receiveFiles(app, files, pos, stageRef.current?.targetAt([e.clientX, e.clientY]));
      }}
    >
      <canvas
        class="board"
        ref={board}
        tabIndex={0}
        role="application"
        aria-roledescription="graph canvas"
        aria-label={`${app.editor.tabName.value}: ${nodes.length} nodes. Use ] and [ for the next and previous node, or Ctrl+Alt+K for a list.`}
      />
      <span class="hidden-text" role="status" aria-live="polite">
        {announcement(app)}
      </span>
      {app.isList.value && <ListView />}
      {nodes.length === 0 && app.editor.path.length === 0 && !app.isList.value && <EmptyCanvas />}
      {app.editor.path.length > 0 && <Crumbs />}
      <ConnectionBanner />
      {app.isReadOnly.value && (
        <div class="stage-corner row small dim" role="note">
          <Icon name="lock" />
          <span>Locked</span>
        </div>
      )}
      {prefs.value.minimap && nodes.length > 0 && !app.isList.value && <Minimap />}
      {!inPlace && !adding && !menu && <Toolbox />}
      {inPlace && <InPlaceEditor edit={inPlace} close={() => setInPlace(undefined)} />}
      {adding && <AddNode options={adding} close={() => setAdding(undefined)} />}
      {menu && <ContextMenu options={menu} close={() => setMenu(undefined)} add={setAdding} />}
      {tip && !menu && !adding && !inPlace && <Tip target={tip.target} at={tip.at} />}
      {selected.length > 1 && <span class="hidden-text">{selected.length} nodes selected</span>}
    </section>
  );
}

function options(app: App) {
  const { snap, links, wheel, badges } = prefs.value;
  return { snap, links, wheel, badges, isReadOnly: app.isReadOnly.value };
}

/** Everything the canvas draws from; reading it here subscribes the effect. */
function show(app: App, stage: Stage): void {
  const { editor } = app;
  const doc = editor.doc.value;
  const tab = editor.tabId.value;
  const { nodes } = app.runs.byTab.value.get(tab) ?? { nodes: undefined };
  const problems = new Map<string, NodeLook["problem"]>();
  for (const p of app.problems.all.value)
    if (p.node !== undefined && (problems.get(p.node)?.level ?? "warn") === "warn")
      problems.set(p.node, { message: p.message, input: p.input, level: p.level });
  const cost = app.runner.cost.value?.doc === doc ? new Map(app.runner.cost.value.report.nodes.map((n) => [n.id, n])) : undefined;
  const pins = app.runner.pins.value.get(tab);
  const prefix = editor.path.length > 0 ? `${editor.path.join(":")}:` : "";
  const labels = app.ports.labels.value;
  const cache = new Map<string, NodeLook>();
  const look = (id: Id): NodeLook => {
    const key = `${prefix}${id}`;
    const known = cache.get(key);
    if (known) return known;
    const run = nodes?.get(key);
    const estimate = cost?.get(key);
    const problem = problems.get(key);
    const isPinned = pins?.has(key) ?? false;
    const own = nodeById(editor.graph.value, id);
    const input = own && inputPicture(app, own.id);
    const ports = own ? labels(own) : undefined;
    if (!run && !estimate && !problem && !isPinned && input === undefined && !ports) {
      cache.set(key, PLAIN);
      return PLAIN;
    }
    const seconds = run ? secondsLeft(run, Date.now()) : undefined;
    const made = picturesOf(run).map((f) => fileUrl(f, 512));
    const preview = made.length === 0 ? run?.preview : undefined;
    const pictures = preview ? [preview.url] : made;
    const text = run?.shown.text?.join("\n") ?? scoreText(run?.scores);
    const shown: NodeLook = {
      status: run?.state ?? "idle",
      pictures: input !== undefined ? [input] : pictures,
      ...(preview && { rough: preview.before === undefined ? {} : { before: preview.before } }),
      ...(run?.shown.faces?.[0] && { faces: facesOf(run.shown.faces[0]) }),
      text: pictures.length > 0 || input !== undefined ? undefined : text,
      ...(run?.progress && {
        progress: run.progress.max > 0 ? run.progress.value / run.progress.max : 0,
        note: `${run.progress.value} of ${run.progress.max}${seconds === undefined ? "" : ` · ${duration(seconds * 1000)} left`}`,
      }),
      ...(run?.ms !== undefined && { ms: run.ms }),
      ...(estimate && { cost: costText(estimate) }),
      ...(problem && { problem }),
      ...(run?.linked && { linked: run.linked }),
      ...(isPinned && { isPinned }),
      ...ports,
    };
    cache.set(key, shown);
    return shown;
  };
  stage.show({ doc, place: editor.place.value, faces: editor.faces, selection: editor.selection.value, look });
}

function facesOf({ pictures, sizes, faces }: FacesShown): NonNullable<NodeLook["faces"]> {
  return pictures.map((_, i) =>
    faces.flatMap(({ image, box: [x0, y0, x1, y1] }) => {
      const size = sizes[i];
      return image === i && size ? [[x0 / size.width, y0 / size.height, x1 / size.width, y1 / size.height] as const] : [];
    }),
  );
}

/** A node that names a picture shows it. */
function inputPicture(app: App, id: Id): string | undefined {
  const node = nodeById(app.editor.graph.value, id);
  if (node?.type !== "LoadImage" && node?.type !== "LoadImageMask") return undefined;
  const value = widgetsOf(app.editor.doc.value, node, app.editor.faces).find((w) => w.face.file?.kind === "input")?.value;
  const isThere = typeof value === "string" && app.library.fileChoices({ kind: "input" })?.includes(value);
  return isThere ? app.library.inputUrl(value, 512) : undefined;
}

function scoreText(scores: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const lines = Object.entries(scores ?? {}).flatMap(([name, value]) =>
    typeof value === "number" ? [`${name}  ${Number(value.toPrecision(4))}`] : [],
  );
  return lines.length > 0 ? lines.slice(0, 12).join("\n") : undefined;
}

export function costText(n: {
  readonly state: string;
  readonly seconds?: number | undefined;
  readonly memoryBytes?: number | undefined;
}): string {
  if (n.state === "cached") return "known from before";
  if (n.state === "unneeded") return "not needed";
  const parts = [n.seconds === undefined ? "" : `≈ ${duration(n.seconds * 1000)}`, n.memoryBytes === undefined ? "" : bytes(n.memoryBytes)];
  return parts.filter((p) => p !== "").join(" · ") || "runs";
}

function openPicture(app: App, id: Id, index: number): void {
  const run = app.nodeRun(app.editor.promptId(id));
  const pictures = picturesOf(run);
  const node = nodeById(app.editor.graph.value, id);
  if (pictures.length > 0) app.dialog.value = { kind: "viewer", pictures, index };
  else if (node?.type === "LoadImage" && Array.isArray(node.widgets_values)) {
    app.dialog.value = { kind: "viewer", index: 0, pictures: [inputRef(String(node.widgets_values[0]))] };
  }
}

/** What a screen reader hears as the selection changes: "3 of 17". */
function announcement(app: App): string {
  const [id] = app.editor.selection.value.nodes;
  const { nodes } = app.editor.graph.value;
  const at = nodes.findIndex((n) => n.id === id);
  const node = nodes[at];
  if (!node) return "";
  const run = app.nodeRun(app.editor.promptId(node.id));
  const state = run ? `, ${run.state}` : "";
  return `${titleOf(app.editor.doc.value, node)}, ${node.type}, ${at + 1} of ${nodes.length}${state}`;
}

function EmptyCanvas() {
  const app = useApp();
  return (
    <div class="empty">
      <div>
        <h2>Nothing here yet</h2>
        <p>Open a starting point, drop a picture or a workflow, or double click to add a node.</p>
        <div class="row">
          <button type="button" class="button primary" onClick={() => (app.dialog.value = { kind: "gallery" })}>
            Starting points
          </button>
          <button type="button" class="button" onClick={() => openers.addNode()}>
            Add a node
          </button>
          <button type="button" class="button" onClick={() => openers.files()}>
            Open a file
          </button>
        </div>
      </div>
    </div>
  );
}

function Crumbs() {
  const app = useApp();
  const { path, doc } = { path: app.editor.path, doc: app.editor.doc.value };
  let graph: { readonly nodes: readonly DocNode[] } = doc;
  const names = path.map((id) => {
    const node = graph.nodes.find((n) => String(n.id) === String(id));
    const definition = node && subgraphOf(doc, node);
    if (definition) graph = definition;
    return node ? titleOf(doc, node) : String(id);
  });
  return (
    <nav class="crumbs" aria-label="Subgraphs">
      <button type="button" onClick={() => app.editor.leave(0)}>
        {app.editor.tabName.value}
      </button>
      {names.map((name, i) => (
        <span class="row" key={`${path[i]}`}>
          <Icon name="chevron" />
          <button type="button" aria-current={i === names.length - 1 ? "page" : undefined} onClick={() => app.editor.leave(i + 1)}>
            {name}
          </button>
        </span>
      ))}
    </nav>
  );
}

function ConnectionBanner() {
  const app = useApp();
  if (app.runs.isConnected.value !== false) return null;
  return (
    <div class="banner" role="alert">
      <Icon name="warn" />
      <span>The server can't be reached. What is on the canvas is safe; runs go on once it is back.</span>
      <button type="button" class="button" onClick={() => app.runs.retry()}>
        Try now
      </button>
    </div>
  );
}

/** For the keyboard: what the selected node's outputs could feed, and what could feed its inputs. */
function connectMenu(app: App, stage: Stage): MenuOptions | undefined {
  const [id] = app.editor.selection.value.nodes;
  const rect = id === undefined ? undefined : stage.titleRect(id);
  if (id === undefined || !rect) return undefined;
  return { target: { kind: "node", id, part: "title" }, at: [rect[0] + 12, rect[1] + rect[3]], pos: [0, 0], isConnect: true };
}
