import type { Graph } from "../../engine/ir/value.ts";
import type { Models } from "../../engine/node/context.ts";
import { holding } from "../../engine/node/holding.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import type { Face, Point } from "../shared/contracts/data.ts";
import type { FaceDetector } from "../shared/contracts/modules.ts";
import { planes } from "../shared/faces/crop-face.ts";
import { type Affine, applyAffine } from "../shared/pictures/affine.ts";
import { pictureOf } from "../shared/pictures/picture.ts";
import { ImagePyramid } from "../shared/pictures/warp-image.ts";
import { type Box, suppress } from "./box.ts";
import { openFaceOnnx } from "./face-onnx.ts";
import { squareAround } from "./face-square.ts";
import { fiveOf68, loadLandmarks68 } from "./landmarks68.ts";
import { decodeScrfd, type ScrfdAnswer } from "./scrfd-decode.ts";
import { selectFaces, sortFaces } from "./select-faces.ts";

/** insightface's suppression. */
const NMS_IOU = 0.4;

/**
 * A user's SCRFD: the picture is shrunk into the top left of a black square of `inputSize`, colours (x − 127.5)/128. A model without
 * keypoints gets them from the embedded landmark network.
 * @throws AppError FACE_ONNX, ONNX_*, MODEL_NOT_FOUND; FACE_SCRFD when its outputs are not SCRFD's.
 */
export async function loadScrfdDetector(models: Models, file: string, inputSize: number): Promise<FaceDetector> {
  const module = await openFaceOnnx(models, file);
  const fixed = module.inputShape[3];
  const size = typeof fixed === "number" && fixed > 0 ? fixed : inputSize;
  // An empty answer has the shapes of every other: another model is refused before anything runs.
  const empty = module.outputShapes([1, 3, size, size]).map((shape) => f32(shape, new Float32Array(shape.reduce((n, d) => n * d, 1))));
  decodeScrfd(empty, size, 1);
  const landmarks = await loadLandmarks68(models);
  let graph: Graph | undefined;
  const detector: FaceDetector = {
    id: `scrfd-1:${size}:${module.fingerprint}:${landmarks.fingerprint}`,
    async detect(compute, image, options) {
      const picture = new ImagePyramid(pictureOf(image, 0));
      const { width, height } = picture.levels[0];
      if (!graph) {
        const b = newBuilder();
        const pixels = b.input("picture", "float32", [1, 3, size, size]);
        graph = b.graph(module.build(b, b.mul(b.sub(pixels, 0.5), 255 / 128)));
      }
      const s = Math.max(width, height) / size;
      // What lies outside the picture is black: insightface pads before it normalises.
      const view = picture.warp([s, 0, 0, 0, s, 0], size, size);
      const outputs = await compute.run(graph, { picture: f32([1, 3, size, size], planes(view)) });
      const tensors = Object.entries(outputs).map(([name, t]) => f32(t.shape, expectDType(t, "float32", `${file}: output ${name}`)));
      const minScore = options.minScore ?? 0.5;
      const answers = suppress(decodeScrfd(tensors, size, minScore), NMS_IOU).map((a) => ({ ...a, box: scaled(a.box, s) }));
      const find = await landmarks.open(compute);
      const faces: Face[] = [];
      for (const a of selectFaces(sortFaces(answers), { ...options, minScore })) {
        const points5 = pointsOf(a, s);
        if (points5) faces.push({ box: a.box, score: a.score, points5 });
        else {
          const points68 = await find(picture, squareAround(a.box, 1));
          faces.push({ box: a.box, score: a.score, points5: fiveOf68(points68), points68 });
        }
      }
      return faces;
    },
  };
  return holding(detector, module);
}

function scaled(box: Box, s: number): Box {
  return [box[0] * s, box[1] * s, box[2] * s, box[3] * s];
}

/** The five points in the picture. insightface counts pixel centres from 0, we from .5. */
function pointsOf({ points }: ScrfdAnswer, s: number): Face["points5"] | undefined {
  const [a, b, c, d, e] = points ?? [];
  const toPicture: Affine = [s, 0, 0.5, 0, s, 0.5];
  const place = (p: Point): Point => applyAffine(toPicture, p);
  return a && b && c && d && e ? [place(a), place(b), place(c), place(d), place(e)] : undefined;
}
