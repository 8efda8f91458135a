import { implementNode } from "../../engine/node/define-node.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { loadDlibEncoder } from "./dlib-encoder.ts";
import declaration from "./face-embed.node.ts";

export default implementNode(declaration, {
  async run({ faces, encoder }, ctx) {
    return { EMBEDDINGS: await embedFaces(ctx.compute, encoder ?? (await loadDlibEncoder(ctx.models)), faces) };
  },
});
