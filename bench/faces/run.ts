// Faces on photographs: false ones, kept ones, and how often the encoders take two pictures of a person for the same one.
// The photographs are not ours to ship: FOLDER holds them, LIST says what they show.
//   node bench/faces/run.ts FOLDER LIST [--min-score 0.5] [--turn 180] [--no-encoders]
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { z } from "zod";
import type { Models } from "../../engine/node/context.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { ModelFolders } from "../../engine/store/model-folders.ts";
import { loadBlazeFaceDetector } from "../../nodes/faces/blazeface-detector.ts";
import { loadDlibEncoder } from "../../nodes/faces/dlib-encoder.ts";
import { loadFaceResEncoder } from "../../nodes/faces/faceres-encoder.ts";
import { decodePicture } from "../../nodes/shared/pictures/codec.ts";
import { imageOfBytes } from "../../nodes/shared/pictures/picture-bytes.ts";
import { printAcceptance, type Vector, vectorsOf } from "./acceptance.ts";
import { compareBoxes } from "./compare-boxes.ts";
import { listOfPhotographs } from "./photographs.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "min-score": { type: "string", default: "0.5" },
    turn: { type: "string", default: "0" },
    "no-encoders": { type: "boolean", default: false },
  },
});
const [folder, list] = z.tuple([z.string(), z.string()]).parse(positionals);
const minScore = z.coerce.number().min(0.05).max(1).parse(values["min-score"]);
const turn = z.coerce.number().multipleOf(90).parse(values.turn);
const photographs = listOfPhotographs.parse(JSON.parse(readFileSync(list, "utf8")));

const roots = [join(import.meta.dirname, "../../models")];
const folders = new ModelFolders({ roots });
const models: Models = {
  list: (name) => folders.list(name),
  open: (name, file) => folders.open(name, file),
  bytes: (name, file) => folders.bytes(name, file),
  findExternal: (folder, name, files) => folders.findExternal(folder, name, files),
};
const compute = createRuntime({ device: "cpu" });
const detector = await loadBlazeFaceDetector(models);
const encoders = values["no-encoders"] ? [] : [await loadDlibEncoder(models), await loadFaceResEncoder(models)];
const vectors: Vector[][] = encoders.map(() => []);

const total = { pictures: 0, absent: 0, wanted: 0, kept: 0, false: 0, falsePictures: 0, ms: 0 };
for (const { file, faces, unclear } of photographs) {
  const path = join(folder, file);
  if (!existsSync(path)) {
    total.absent++;
    continue;
  }
  // Boxes are of the picture as it is: a turned one is only counted.
  const bytes = turn === 0 ? readFileSync(path) : await sharp(path).autoOrient().rotate(turn).png().toBuffer();
  const { rgb, width, height } = await decodePicture(bytes, file);
  const image = imageOfBytes(rgb, width, height);
  const started = performance.now();
  const found = await detector.detect(compute, image, { minScore });
  total.ms += performance.now() - started;
  const { kept, extra } = compareBoxes(found, faces, unclear, { turn, width, height });
  total.pictures++;
  total.wanted += faces.length;
  total.kept += kept.filter((k) => k !== undefined).length;
  total.false += extra.length;
  if (extra.length > 0) total.falsePictures++;
  for (const { box, score } of extra) console.log(`false   ${file}  [${box.map(Math.round).join(", ")}]  score ${score.toFixed(2)}`);
  kept.forEach((face, i) => {
    if (!face) console.log(`missed  ${file}  [${faces[i]?.box.join(", ")}]`);
  });
  for (const [e, encoder] of encoders.entries()) vectors[e]?.push(...(await vectorsOf(compute, encoder, image, file, faces, kept)));
}
console.log(
  `\n${total.pictures} pictures${total.absent > 0 ? ` (${total.absent} of the list are absent)` : ""}: ${total.kept} of ${total.wanted} faces found, ` +
    `${total.false} false in ${total.falsePictures} pictures; ${(total.ms / Math.max(1, total.pictures)).toFixed(0)} ms a picture`,
);
encoders.forEach((encoder, e) => {
  printAcceptance(encoder, vectors[e] ?? []);
});
