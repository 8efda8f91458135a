import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./comfy-switch-node.node.ts";

export default implementNode(declaration, {
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
