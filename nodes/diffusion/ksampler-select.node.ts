import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { SAMPLER } from "../shared/contracts/sockets.ts";
import { SAMPLERS } from "./sampling/sampler-names.ts";

export default declareNode({
  type: "KSamplerSelect",
  version: "1.0.0",
  category: "sampling/custom_sampling/samplers",
  summary: "A sampler by its name.",
  inputs: { sampler_name: widget(z.enum(SAMPLERS).default("euler")) },
  outputs: { SAMPLER },
  cache: "pure",
  isCheap: true,
});
