import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./manual-sigmas.node.ts";

export default implementNode(declaration, {
  run({ sigmas }) {
    const numbers = sigmas.match(/[-+]?(?:\d*\.?\d+)/g) ?? [];
    if (numbers.length === 0) throw new AppError("SIGMAS", "there is no number among the sigmas", { hint: "write them like 1, 0.5, 0" });
    return { SIGMAS: Float32Array.from(numbers, Number) };
  },
});
