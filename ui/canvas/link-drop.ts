// A link that is being dragged: what it fits, and what letting go would do. litegraph would join what it can; here it is said what can be joined and why not.
import { type LinkConnector, LLink } from "@comfyorg/litegraph";
import type { Command } from "../doc/commands.ts";
import { type DocGraph, graphAt, type Point, sameId, typeName } from "../doc/document.ts";
import { type End, inputOf, outputType, refusal, typesFit } from "../doc/links.ts";
import { SLOT_HEIGHT } from "../doc/node-layout.ts";
import { inside } from "./geometry.ts";
import type { HitTest } from "./hit-test.ts";
import type { LinkPaths } from "./link-paths.ts";
import type { Scene } from "./paint-node.ts";
import { docId, type Projection, StageNode } from "./projection.ts";
import type { StageState } from "./stage-types.ts";

/** What a drag in progress would do if it were let go now. */
export interface DropPlan {
  readonly commands: readonly Command[];
  readonly refused: string | undefined;
  /** Where the link would end. */
  readonly snap: Point | undefined;
}

export type Dragged = LinkConnector["renderLinks"][number];

export class LinkDrop {
  readonly #connector: LinkConnector;
  readonly #projection: Projection;
  readonly #paths: LinkPaths;
  readonly #hit: HitTest;
  readonly #state: () => StageState | undefined;

  constructor(connector: LinkConnector, projection: Projection, paths: LinkPaths, hit: HitTest, state: () => StageState | undefined) {
    this.#connector = connector;
    this.#projection = projection;
    this.#paths = paths;
    this.#hit = hit;
    this.#state = state;
  }

  end(link: Dragged): End | undefined {
    return link.node instanceof StageNode ? { node: link.node.docNode.id, slot: link.fromSlotIndex } : undefined;
  }

  /** What letting go at this point would do. */
  plan(x: number, y: number): DropPlan | undefined {
    const state = this.#state();
    const linkConnector = this.#connector;
    const first = linkConnector.renderLinks[0];
    if (!state || !first) return undefined;
    const end = this.end(first);
    if (!end) return undefined;
    const toInput = linkConnector.state.connectingTo === "input";
    const graph = graphAt(state.doc, state.place);
    const after = first.fromReroute?.id;
    const removed = linkConnector.renderLinks.flatMap((r) => ("link" in r && r.link instanceof LLink ? [r.link] : []));
    const socket = this.#hit.socketAt(x, y);
    const node = this.#hit.nodeAt(x, y);
    if (!socket && !node) return { commands: [], refused: undefined, snap: undefined };
    const id = socket?.id ?? node?.docNode.id ?? end.node;
    const stage = this.#projection.node(id);
    if (!stage) return undefined;
    const slots = socket && (socket.side === "input") === toInput ? [socket.slot] : this.#rowAt(stage, x, y, toInput);
    const candidates = slots.length > 0 ? slots : this.#bestSlots(stage, end, toInput);
    let refused: string | undefined;
    for (const slot of candidates) {
      const from = toInput ? end : { node: id, slot };
      const to = toInput ? { node: id, slot } : end;
      if (removed.length > 0 && toInput && removed.some((l) => sameId(docId(l.target_id), id) && l.target_slot === slot))
        return { commands: [], refused: undefined, snap: this.#paths.inputAt(stage, slot) };
      const why = refusal(graph, from, to);
      if (why !== undefined) {
        refused ??= why;
        continue;
      }
      const cut: Command[] =
        removed.length > 0 && toInput ? [{ name: "link.remove", args: { place: state.place, ids: removed.map((l) => l.id) } }] : [];
      const joins: Command[] =
        removed.length > 0 && !toInput
          ? removed.map(
              (l): Command => ({
                name: "link.connect",
                args: { place: state.place, from, to: { node: docId(l.target_id), slot: l.target_slot } },
              }),
            )
          : [{ name: "link.connect", args: { place: state.place, from, to, ...(after !== undefined && toInput && { after }) } }];
      return {
        commands: [...cut, ...joins],
        refused: undefined,
        snap: toInput ? this.#paths.inputAt(stage, slot) : this.#paths.outputAt(stage, slot),
      };
    }
    if (sameId(id, end.node)) return { commands: [], refused: undefined, snap: undefined };
    return { commands: [], refused: refused ?? this.#nothingFits(graph, end, toInput, stage), snap: undefined };
  }

  #nothingFits(graph: DocGraph, end: End, toInput: boolean, stage: StageNode): string {
    const type = toInput ? outputType(graph, end) : inputOf(graph, end)?.type;
    return toInput
      ? `${stage.docNode.type} has no input for ${type ?? "this"}`
      : `${stage.docNode.type} has no output of type ${type ?? "this"}`;
  }

  /** The socket whose row or widget the point is in. */
  #rowAt(node: StageNode, x: number, y: number, toInput: boolean): number[] {
    const px = x - node.pos[0];
    const py = y - node.pos[1];
    if (node.flags.collapsed) return [];
    if (toInput) {
      const widget = node.layout.widgets.find((w) => inside(px, py, w.rect, 0));
      if (widget) return widget.state.input >= 0 ? [widget.state.input] : [];
    }
    const at = toInput ? node.layout.inputs : node.layout.outputs;
    const half = toInput ? px < node.size[0] / 2 : px > node.size[0] / 2;
    return half
      ? [...at.entries()].flatMap(([slot, p]) =>
          Math.abs(p[1] - py) <= SLOT_HEIGHT / 2 && (!toInput || node.layout.rows.includes(slot)) ? [slot] : [],
        )
      : [];
  }

  /** Sockets of a node that the dragged end fits, the likeliest first. */
  #bestSlots(node: StageNode, end: End, toInput: boolean): number[] {
    const state = this.#state();
    if (!state) return [];
    const graph = graphAt(state.doc, state.place);
    if (!toInput) {
      const wanted = inputOf(graph, end);
      return node.docNode.outputs.flatMap((o, slot) => (wanted && typesFit(typeName(o.type), wanted.type, wanted.widget) ? [slot] : []));
    }
    const type = outputType(graph, end) ?? "*";
    const isShown = (slot: number): boolean => (node.layout.inputs[slot]?.[0] ?? 0) >= 0;
    const rank = (slot: number): number => {
      const input = node.docNode.inputs[slot];
      return (
        (input?.link === null ? 0 : 8) +
        (input?.widget ? 4 : 0) +
        (typeName(input?.type) === "*" ? 2 : 0) +
        (node.optional.has(slot) ? 1 : 0)
      );
    };
    return node.docNode.inputs
      .flatMap((i, slot) => (isShown(slot) && typesFit(type, typeName(i.type), i.widget !== undefined) ? [slot] : []))
      .sort((a, b) => rank(a) - rank(b));
  }

  fits(): Scene["dragging"] {
    const state = this.#state();
    const first = this.#connector.renderLinks[0];
    const end = first && this.end(first);
    if (!state || !end) return undefined;
    const graph = graphAt(state.doc, state.place);
    const toInput = this.#connector.state.connectingTo === "input";
    const type = outputType(graph, end);
    const wanted = inputOf(graph, end);
    return {
      fits: (node, slot, side) => {
        if (sameId(node.id, end.node)) return side !== (toInput ? "input" : "output") && slot === end.slot;
        if ((side === "input") !== toInput) return false;
        if (toInput) {
          const input = node.inputs[slot];
          return input !== undefined && type !== undefined && typesFit(type, typeName(input.type), input.widget !== undefined);
        }
        const output = node.outputs[slot];
        return output !== undefined && wanted !== undefined && typesFit(typeName(output.type), wanted.type, wanted.widget);
      },
    };
  }
}
