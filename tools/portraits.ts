// Makes graphs/input/person-1.png and person-2.png: portraits of two drawn people that no training scene shows.
// `node tools/portraits.ts [EXAMPLE = 5]` writes the same pixels again.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import dataset from "../nodes/data/rendered-people-dataset.ts";
import { encodePng } from "../nodes/shared/pictures/codec.ts";
import { pictureBytes } from "../nodes/shared/pictures/picture-bytes.ts";
import { fakeContext } from "../test/fake-context.ts";

const settings = { train: 1, held_out: 64, people: 2, identities: 64, width: 192, height: 96, reference_size: 96, seed: 0 };
const made = await dataset.run(settings, fakeContext(), {});
const example = await made.dataset.example("heldOut", Number(process.argv[2] ?? 5));
for (const [k, portrait] of example.references.entries()) {
  const { rgb, width, height } = pictureBytes(portrait, 0);
  writeFileSync(join(import.meta.dirname, `../graphs/input/person-${k + 1}.png`), await encodePng(rgb, width, height));
}
