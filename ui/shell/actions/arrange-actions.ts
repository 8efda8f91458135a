import type { App } from "../../state/app.ts";
import type { Action } from "./action.ts";
import { Chosen } from "./chosen.ts";
import { fitView } from "./view-actions.ts";

/** Where the selected nodes are. */
export function arrangeActions(app: App): readonly Action[] {
  const chosen = new Chosen(app);
  const move = (dx: number, dy: number): void =>
    chosen.perform({
      name: "items.move",
      args: { place: chosen.place, nodes: chosen.nodes.map((n) => ({ id: n.id, to: [n.pos[0] + dx, n.pos[1] + dy] })) },
    });
  const align = (edge: "left" | "right" | "top" | "bottom"): Action => ({
    id: `align.${edge}`,
    title: `Align ${edge === "top" || edge === "bottom" ? `${edge}s` : `${edge} edges`}`,
    group: "Node",
    keys: [],
    run: () => chosen.perform({ name: "nodes.align", args: { place: chosen.place, ids: chosen.ids, edge } }),
    isEnabled: () => chosen.ids.length > 1,
  });
  return [
    { id: "node.moveLeft", title: "Move left", group: "Node", keys: ["ArrowLeft"], run: () => move(-10, 0), isEnabled: chosen.isAny },
    { id: "node.moveRight", title: "Move right", group: "Node", keys: ["ArrowRight"], run: () => move(10, 0), isEnabled: chosen.isAny },
    { id: "node.moveUp", title: "Move up", group: "Node", keys: ["ArrowUp"], run: () => move(0, -10), isEnabled: chosen.isAny },
    { id: "node.moveDown", title: "Move down", group: "Node", keys: ["ArrowDown"], run: () => move(0, 10), isEnabled: chosen.isAny },
    {
      id: "node.farLeft",
      title: "Move left by 100",
      group: "Node",
      keys: ["Shift+ArrowLeft"],
      run: () => move(-100, 0),
      isEnabled: chosen.isAny,
    },
    {
      id: "node.farRight",
      title: "Move right by 100",
      group: "Node",
      keys: ["Shift+ArrowRight"],
      run: () => move(100, 0),
      isEnabled: chosen.isAny,
    },
    {
      id: "node.farUp",
      title: "Move up by 100",
      group: "Node",
      keys: ["Shift+ArrowUp"],
      run: () => move(0, -100),
      isEnabled: chosen.isAny,
    },
    {
      id: "node.farDown",
      title: "Move down by 100",
      group: "Node",
      keys: ["Shift+ArrowDown"],
      run: () => move(0, 100),
      isEnabled: chosen.isAny,
    },
    align("left"),
    align("right"),
    align("top"),
    align("bottom"),
    {
      id: "align.spreadX",
      title: "Distribute across",
      group: "Node",
      keys: [],
      run: () => chosen.perform({ name: "nodes.distribute", args: { place: chosen.place, ids: chosen.ids, axis: "x" } }),
      isEnabled: () => chosen.ids.length > 2,
    },
    {
      id: "align.spreadY",
      title: "Distribute down",
      group: "Node",
      keys: [],
      run: () => chosen.perform({ name: "nodes.distribute", args: { place: chosen.place, ids: chosen.ids, axis: "y" } }),
      isEnabled: () => chosen.ids.length > 2,
    },
    {
      id: "graph.arrange",
      title: "Arrange the graph",
      group: "Node",
      keys: [],
      run: () => {
        chosen.perform({ name: "nodes.arrange", args: { place: chosen.place } });
        fitView(app);
      },
    },
  ];
}
