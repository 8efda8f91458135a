import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Face } from "../shared/contracts/data.ts";
import { previewPrefix, savePreviews } from "../shared/faces/save-previews.ts";
import { batchOf, pictureOf } from "../shared/pictures/picture.ts";
import { loadBlazeFaceDetector } from "./blazeface-detector.ts";
import declaration from "./face-detect.node.ts";

/** A larger batch shows its first pictures. */
const MAX_SHOWN = 36;

export default implementNode(declaration, {
  async run({ image, detector, min_score, max_faces, min_size }, ctx) {
    const used = detector ?? (await loadBlazeFaceDetector(ctx.models));
    const faces: (readonly Face[])[] = [];
    for (let i = 0; i < batchOf(image); i++) {
      ctx.signal.throwIfAborted();
      const { data, height, width } = pictureOf(image, i);
      const options = { minScore: min_score, maxFaces: max_faces, minSize: min_size };
      const found = await used.detect(ctx.compute, f32([1, height, width, 3], data), options);
      if (found.length === 0) {
        const which = batchOf(image) === 1 ? "the picture" : `picture ${i + 1} of ${batchOf(image)}`;
        ctx.log("warn", `no face found in ${which}, ${width} × ${height} pixels`, "image");
      }
      faces.push(found);
      ctx.progress(i + 1, batchOf(image));
    }
    const shown = faces.slice(0, MAX_SHOWN);
    ctx.show({
      faces: [
        {
          ...(await savePreviews(ctx, previewPrefix(ctx, "faces"), image, [...shown.keys()])),
          faces: shown.flatMap((found, i) => found.map(({ box, score }) => ({ image: i, box: [...box], score }))),
        },
      ],
    });
    return { FACES: { images: image, faces } };
  },
});
