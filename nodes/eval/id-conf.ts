import { defineNode, input } from "../../engine/node/define-node.ts";
import { METRICS, SIMILARITY } from "../shared/contracts/sockets.ts";
import { idConf } from "../shared/metrics/id-conf.ts";

export default defineNode({
  type: "IDConf",
  version: "1.0.0",
  category: "evaluate",
  summary: "ID-Conf in percent: how clearly each reference is one face only. In the paper's form and the released code's.",
  inputs: { similarity: input(SIMILARITY) },
  outputs: { METRICS },
  cache: "pure",
  run({ similarity }, ctx) {
    const { paper, code } = idConf(similarity);
    const values = { id_conf: paper, ...(code === undefined ? {} : { id_conf_code: code }) };
    for (const [name, value] of Object.entries(values)) ctx.score(name, value);
    return { METRICS: { values, details: { encoder: similarity.references.encoder } } };
  },
});
