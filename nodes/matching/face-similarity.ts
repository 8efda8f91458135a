import { implementNode } from "../../engine/node/define-node.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import declaration from "./face-similarity.node.ts";

export default implementNode(declaration, {
  run: ({ references, generated }) => ({ SIMILARITY: similarityOf(references, generated) }),
});
