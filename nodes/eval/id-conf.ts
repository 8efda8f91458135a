import { implementNode } from "../../engine/node/define-node.ts";
import { idConfValue } from "../shared/metrics/id-conf-value.ts";
import declaration from "./id-conf.node.ts";

export default implementNode(declaration, {
  run({ similarity }, ctx) {
    const { paper, code } = idConfValue(similarity);
    const values = { id_conf: paper, ...(code === undefined ? {} : { id_conf_code: code }) };
    for (const [name, value] of Object.entries(values)) ctx.score(name, value);
    return { METRICS: { values, details: { encoder: similarity.references.encoder } } };
  },
});
