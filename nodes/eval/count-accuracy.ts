import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./count-accuracy.node.ts";

export default implementNode(declaration, {
  run({ similarity }, ctx) {
    const [wanted = 0, found = 0] = similarity.values.shape;
    const values = { count_accuracy: wanted === found ? 1 : 0, count_error: found - wanted, faces_wanted: wanted, faces_found: found };
    for (const [name, value] of Object.entries(values)) ctx.score(name, value);
    return { METRICS: { values } };
  },
});
