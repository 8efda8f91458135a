import { z } from "zod";
import { declareNode, optional, widget } from "../../engine/node/define-node.ts";
import { ANY } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "ComfySwitchNode",
  version: "1.0.0",
  category: "utils/logic",
  summary: "Passes on one of two inputs; the other one's branch does not run when the switch is known beforehand.",
  inputs: {
    switch: widget(z.boolean().default(false), { tooltip: "Yes passes on on_true, no passes on on_false." }),
    on_false: optional(ANY),
    on_true: optional(ANY),
  },
  outputs: { output: ANY },
  cache: "pure",
  passes: ({ switch: position }) => (position === undefined ? undefined : position ? "on_true" : "on_false"),
});
