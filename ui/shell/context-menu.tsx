import { useLayoutEffect, useRef } from "preact/hooks";
import type { Target } from "../canvas/stage-types.ts";
import { graphAt, type Id, linkById, nodeById, type Point, subgraphOf, typeName } from "../doc/document.ts";
import { type End, refusal } from "../doc/links.ts";
import { titleOf } from "../doc/node-layout.ts";
import { isPromoted } from "../doc/subgraphs.ts";
import { CONTROLS } from "../doc/widgets.ts";
import { placePopup } from "../panels/place-popup.ts";
import type { App } from "../state/app.ts";
import { useApp } from "../state/context.ts";
import { keysOf } from "./actions/action.ts";
import { actionsRef } from "./actions-ref.ts";
import type { AddNodeOptions } from "./add-node.tsx";
import { colorSelection, NODE_COLORS } from "./node-colors.ts";

export interface MenuOptions {
  readonly target: Target;
  readonly at: Point;
  readonly pos: Point;
  /** By the keyboard: offers what the node could be joined to. */
  readonly isConnect?: boolean;
}

interface Entry {
  readonly title: string;
  readonly keys?: string;
  readonly run: () => void;
  readonly isChecked?: boolean;
}
type Row = Entry | "line" | "colors";

export function ContextMenu({
  options,
  close,
  add,
}: {
  readonly options: MenuOptions;
  readonly close: () => void;
  readonly add: (options: AddNodeOptions) => void;
}) {
  const app = useApp();
  const box = useRef<HTMLDivElement>(null);
  const rows = rowsFor(app, options, add);
  useLayoutEffect(() => {
    if (box.current) placePopup(box.current, options.at);
    box.current?.querySelector("button")?.focus({ preventScroll: true });
  }, [options]);
  const end = (): void => {
    close();
    document.querySelector<HTMLElement>("canvas.board")?.focus({ preventScroll: true });
  };
  return (
    <div
      class="popup menu"
      role="menu"
      ref={box}
      onContextMenu={(e) => e.preventDefault()}
      onFocusOut={(e) => {
        if (!(e.relatedTarget instanceof Node) || !e.currentTarget.contains(e.relatedTarget)) close();
      }}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === "Escape") end();
        if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
        e.preventDefault();
        const buttons = [...e.currentTarget.querySelectorAll("button")];
        const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
        buttons[(at + (e.key === "ArrowDown" ? 1 : -1) + buttons.length) % buttons.length]?.focus();
      }}
    >
      {rows.map((row, i) => {
        if (row === "line") return <hr key={i} />;
        if (row === "colors")
          return (
            <div class="swatches" key="colors" role="group" aria-label="Colour">
              {[{ name: "No colour", color: undefined }, ...NODE_COLORS].map(({ name, color }) => (
                <button
                  key={name}
                  type="button"
                  role="menuitem"
                  aria-label={name}
                  title={name}
                  ref={(el) => {
                    if (el) el.style.background = color ?? "none";
                  }}
                  onClick={() => {
                    paint(app, options.target, color);
                    end();
                  }}
                />
              ))}
            </div>
          );
        return (
          <button
            key={row.title}
            type="button"
            role={row.isChecked === undefined ? "menuitem" : "menuitemradio"}
            {...(row.isChecked !== undefined && { "aria-checked": row.isChecked })}
            onClick={() => {
              end();
              row.run();
            }}
          >
            <span class="grow">{row.title}</span>
            {row.isChecked && <span class="dim">✓</span>}
            {row.keys && <kbd>{row.keys}</kbd>}
          </button>
        );
      })}
    </div>
  );
}

function paint(app: App, target: Target, color: string | undefined): void {
  const place = app.editor.place.value;
  if (target.kind === "group")
    app.editor.perform([
      { name: "group.edit", args: { place, index: target.index, change: color === undefined ? { color: "#888888" } : { color } } },
    ]);
  else colorSelection(app, color);
}

function rowsFor(app: App, { target, at, pos, isConnect }: MenuOptions, add: (options: AddNodeOptions) => void): readonly Row[] {
  const { editor } = app;
  const place = editor.place.value;
  const graph = editor.graph.value;
  const action = (...ids: readonly string[]): Entry[] =>
    ids.flatMap((id) => {
      const found = actionsRef.current.find((a) => a.id === id);
      if (!found || found.isEnabled?.() === false) return [];
      const [keys] = keysOf(found);
      return [{ title: found.title, run: () => void found.run(), ...(keys !== undefined && { keys }) }];
    });
  switch (target.kind) {
    case "canvas":
      return [
        { title: "Add a node", keys: "A", run: () => add({ pos, at }) },
        {
          title: "Add a group",
          run: () => void editor.perform([{ name: "group.add", args: { place, title: "Group", bounding: [pos[0], pos[1], 400, 260] } }]),
        },
        { title: "Add a note", run: () => void editor.add({ name: "node.add", args: { place, type: "MarkdownNote", pos } }) },
        ...action("edit.paste", "edit.pasteLinked"),
        "line",
        ...action("select.all", "view.fit", "graph.arrange"),
        ...(editor.path.length > 0 ? action("graph.leave") : []),
      ];
    case "link": {
      const link = linkById(graph, target.id);
      if (!link) return [];
      const from: End = { node: link.origin_id, slot: link.origin_slot };
      return [
        { title: "Cut", run: () => void editor.perform([{ name: "link.remove", args: { place, ids: [target.id] } }]) },
        {
          title: "Add a bend",
          keys: "Alt+click",
          run: () =>
            void editor.perform([{ name: "reroute.add", args: { place, link: target.id, pos: [Math.round(pos[0]), Math.round(pos[1])] } }]),
        },
        { title: `Add a node for ${typeName(link.type)}`, run: () => add({ pos, at, from }) },
        { title: "Go to where it comes from", run: () => app.goTo(editor.promptId(link.origin_id)) },
        { title: "Go to where it leads", run: () => app.goTo(editor.promptId(link.target_id)) },
      ];
    }
    case "group":
      return [
        { title: "Rename", run: () => editTitle(app, target.index) },
        { title: "Fit to its nodes", run: () => fitGroup(app, target.index) },
        { title: "Select its nodes", run: () => selectInside(app, target.index) },
        { title: "Mute its nodes", run: () => modeInside(app, target.index, 2) },
        { title: "Bypass its nodes", run: () => modeInside(app, target.index, 4) },
        { title: "Enable its nodes", run: () => modeInside(app, target.index, 0) },
        "line",
        "colors",
        "line",
        {
          title: "Remove the group",
          run: () => void editor.perform([{ name: "items.remove", args: { place, nodes: [], groups: [target.index] } }]),
        },
      ];
    case "socket": {
      const node = nodeById(graph, target.id);
      const end: End = { node: target.id, slot: target.slot };
      const links = graph.links.filter((l) =>
        target.side === "input"
          ? String(l.target_id) === String(target.id) && l.target_slot === target.slot
          : String(l.origin_id) === String(target.id) && l.origin_slot === target.slot,
      );
      return [
        ...(node ? joinable(app, target.side, end) : []),
        "line",
        { title: "Add a node here", run: () => add({ pos, at, ...(target.side === "input" ? { to: end } : { from: end }) }) },
        ...(links.length > 0
          ? [
              {
                title: links.length === 1 ? "Cut the link" : `Cut ${links.length} links`,
                run: () => void editor.perform([{ name: "link.remove", args: { place, ids: links.map((l) => l.id) } }]),
              },
            ]
          : []),
        ...(target.side === "output" ? action("node.look") : []),
      ];
    }
    case "widget":
    case "node": {
      const node = nodeById(graph, target.id);
      if (isConnect && node)
        return node.outputs.length > 0
          ? node.outputs.flatMap((_, slot) => joinable(app, "output", { node: node.id, slot }))
          : node.inputs.flatMap((_, slot) => joinable(app, "input", { node: node.id, slot }));
      const widget = target.kind === "widget" ? target.box.state : undefined;
      return [
        ...(widget?.control !== undefined
          ? [
              ...CONTROLS.map(
                (control): Entry => ({
                  title: {
                    fixed: "Keep it",
                    increment: "One more after each run",
                    decrement: "One less after each run",
                    randomize: "Another after each run",
                  }[control],
                  isChecked: widget.control === control,
                  run: () =>
                    void editor.perform([
                      { name: "widget.control", args: { place, id: target.id, name: widget.face.name, control, value: widget.value } },
                    ]),
                }),
              ),
              "line" as const,
            ]
          : []),
        ...(widget && !widget.linked
          ? [
              {
                title: "Back to its default",
                run: () =>
                  void editor.perform([
                    { name: "widget.set", args: { place, id: target.id, name: widget.face.name, value: widget.face.default } },
                  ]),
              },
              formEntry(app, String(editor.promptId(target.id)), widget.face.name),
              ...(place === null ? [] : [promoteEntry(app, place, target.id, widget.face.name)]),
              "line" as const,
            ]
          : []),
        ...action("run.selected", "node.look", "node.pinResult", "node.mask"),
        "line",
        ...action("node.rename", "node.help", "edit.copy", "edit.duplicate", "edit.disconnect"),
        "line",
        ...action("node.mute", "node.bypass", "node.collapse", "node.pin"),
        "line",
        ...(node && subgraphOf(editor.doc.value, node) ? action("graph.enter", "node.unpack", "node.publish") : []),
        ...action("node.subgraph", "node.group", "align.left", "align.top", "align.spreadX", "align.spreadY"),
        "colors",
        ...action("edit.delete"),
      ];
    }
  }
}

/** Sockets elsewhere that this end fits, the nearest first. */
function joinable(app: App, side: "input" | "output", end: End): Entry[] {
  const { editor } = app;
  const place = editor.place.value;
  const graph = graphAt(editor.doc.value, place);
  const self = nodeById(graph, end.node);
  if (!self) return [];
  const own = side === "output" ? self.outputs[end.slot]?.name : self.inputs[end.slot]?.name;
  return graph.nodes
    .filter((n) => n !== self)
    .sort((a, b) => Math.hypot(a.pos[0] - self.pos[0], a.pos[1] - self.pos[1]) - Math.hypot(b.pos[0] - self.pos[0], b.pos[1] - self.pos[1]))
    .flatMap((node): Entry[] => {
      const slots = side === "output" ? node.inputs : node.outputs;
      return slots.flatMap((slot, i): Entry[] => {
        const other: End = { node: node.id, slot: i };
        const [from, to] = side === "output" ? [end, other] : [other, end];
        if (
          side === "output" &&
          node.inputs[i]?.widget &&
          node.inputs[i]?.link === null &&
          typeName(node.inputs[i]?.type) !== typeName(self.outputs[end.slot]?.type)
        )
          return [];
        if (refusal(graph, from, to) !== undefined) return [];
        return [
          {
            title: `${own} → ${titleOf(editor.doc.value, node)}: ${slot.name}`,
            run: () => void editor.perform([{ name: "link.connect", args: { place, from, to } }]),
          },
        ];
      });
    })
    .slice(0, 10);
}

function formEntry(app: App, node: string, widget: string): Entry {
  const fields = app.form.value;
  const has = fields.some((f) => f.node === node && f.widget === widget);
  return {
    title: has ? "Take off the simple form" : "Put on the simple form",
    run: () =>
      void app.editor.perform([
        {
          name: "form.set",
          args: { fields: has ? fields.filter((f) => f.node !== node || f.widget !== widget) : [...fields, { node, widget }] },
        },
      ]),
  };
}

/** Inside a subgraph: the value stands on the subgraph's own node too. */
function promoteEntry(app: App, place: string, id: Id, name: string): Entry {
  const on = !isPromoted(app.editor.doc.value, place, id, name);
  return {
    title: on ? "Show on the subgraph" : "Take off the subgraph",
    run: () => void app.editor.perform([{ name: "widget.promote", args: { place, id, name, on } }]),
  };
}

function editTitle(app: App, index: number): void {
  const title = app.editor.graph.value.groups[index]?.title ?? "";
  app.dialog.value = { kind: "rename-group", index, title };
}

function insideOf(app: App, index: number): readonly (string | number)[] {
  const group = app.editor.graph.value.groups[index];
  if (!group) return [];
  const [x, y, w, h] = group.bounding;
  return app.editor.graph.value.nodes.flatMap((n) =>
    n.pos[0] >= x && n.pos[1] >= y && n.pos[0] + n.size[0] <= x + w + 1 && n.pos[1] + n.size[1] <= y + h + 1 ? [n.id] : [],
  );
}
function selectInside(app: App, index: number): void {
  app.editor.selection.value = { nodes: insideOf(app, index), groups: [], reroutes: [] };
}
function modeInside(app: App, index: number, mode: number): void {
  app.editor.perform([{ name: "node.mode", args: { place: app.editor.place.value, ids: insideOf(app, index), mode } }]);
}
function fitGroup(app: App, index: number): void {
  const nodes = insideOf(app, index).flatMap((id) => nodeById(app.editor.graph.value, id) ?? []);
  if (nodes.length > 0)
    app.editor.perform([{ name: "group.fit", args: { place: app.editor.place.value, index, ids: nodes.map((n) => n.id) } }]);
}
