import { declareNode, widget } from "../../engine/node/define-node.ts";
import { ANY } from "../shared/contracts/sockets.ts";
import { outputName } from "../shared/output-name.ts";

export default declareNode({
  type: "SaveTensors",
  version: "1.0.0",
  category: "core",
  summary: "Saves every tensor of what is connected (latents, conditioning, embeddings, pictures …) as one safetensors file.",
  inputs: { filename_prefix: widget(outputName("tensors")) },
  outputs: {},
  cache: "never",
  isOutput: true,
  variadic: { prefix: "value_", socket: ANY },
});
