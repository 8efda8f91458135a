import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { defineNode, optional, widget } from "../../engine/node/define-node.ts";
import { ANY } from "../shared/contracts/sockets.ts";

export default defineNode({
  type: "ComfySwitchNode",
  version: "1.0.0",
  category: "utils/logic",
  summary: "Hands on one of two inputs; the other one's branch does not run when the switch is known beforehand.",
  inputs: {
    switch: widget(z.boolean().default(false), { tooltip: "Yes hands on on_true, no hands on on_false." }),
    on_false: optional(ANY),
    on_true: optional(ANY),
  },
  outputs: { output: ANY },
  cache: "pure",
  passes: ({ switch: position }) => (position === undefined ? undefined : position ? "on_true" : "on_false"),
  run({ switch: position, on_false, on_true }) {
    const output = position ? on_true : on_false;
    if (output === undefined) {
      const branch = position ? "on_true" : "on_false";
      throw new AppError("SWITCH_BRANCH_MISSING", `the switch is at ${position}, but nothing is connected to ${branch}`, {
        hint: `connect ${branch} or turn the switch`,
      });
    }
    return { output };
  },
});
