import { declareNode, input } from "../../engine/node/define-node.ts";
import { EMBEDDINGS, SIMILARITY } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "FaceSimilarity",
  version: "1.0.0",
  category: "matching",
  summary: "Compares every reference face with every generated face, as their encoder asks.",
  inputs: {
    references: input(EMBEDDINGS, "Rows: the people who should appear."),
    generated: input(EMBEDDINGS, "Columns: the faces found in the picture."),
  },
  outputs: { SIMILARITY },
  cache: "pure",
});
