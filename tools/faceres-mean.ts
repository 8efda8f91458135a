// Measures tools/faceres-mean.json, the mean faceres descriptor that convert-faces.ts puts beside the network: of the 102 faces in a
// screenshot of @vladmandic/human (development only), photographs of many people that no other measurement here uses.
//   node tools/convert-faces.ts && node tools/faceres-mean.ts && node tools/convert-faces.ts
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { createRuntime } from "../engine/ort/runtime.ts";
import { f32 } from "../engine/tensor/tensor.ts";
import { loadBlazeFaceDetector } from "../nodes/faces/blazeface-detector.ts";
import { loadFaceResEncoder } from "../nodes/faces/faceres-encoder.ts";
import { embedFaces } from "../nodes/shared/faces/embed-faces.ts";
import { faceModels } from "../test/face-models.ts";

const screenshot = join(import.meta.dirname, "../node_modules/@vladmandic/human/assets/screenshot-facematch.jpg");
// The grid of extracted faces, without the rows of small pictures they come from.
const { data, info } = await sharp(screenshot)
  .extract({ left: 0, top: 290, width: 1920, height: 664 })
  .removeAlpha()
  .raw()
  .toBuffer({ resolveWithObject: true });
const images = f32(
  [1, info.height, info.width, 3],
  Float32Array.from(data, (x) => x / 255),
);
const compute = createRuntime({ device: "cpu" });
const encoder = await loadFaceResEncoder(faceModels);
const faces = await (await loadBlazeFaceDetector(faceModels)).detect(compute, images, { minSize: 24 });
const { vectors } = await embedFaces(compute, encoder, { images, faces: [faces] });
const mean = Array.from({ length: encoder.dim }, (_, k) => {
  const sum = faces.reduce((total, _, i) => total + (vectors.data[i * encoder.dim + k] ?? 0), 0);
  return Number((sum / faces.length).toFixed(4));
});
writeFileSync(join(import.meta.dirname, "faceres-mean.json"), `${JSON.stringify({ faces: faces.length, mean })}\n`);
console.log(`mean of ${faces.length} faces, length ${Math.hypot(...mean).toFixed(3)}`);
