import { AppError } from "../../engine/base/errors.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Example, Face, Image } from "../shared/contracts/data.ts";
import type { FaceEncoder } from "../shared/contracts/modules.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { accepts, similarityOf } from "../shared/matching/similarity.ts";
import { encodePng } from "../shared/pictures/codec.ts";
import { pictureBytes } from "../shared/pictures/picture-bytes.ts";
import { differenceHash, hashDistance } from "./clips/picture-measures.ts";
import { contactSheet } from "./contact-sheet.ts";
import { sizeOfImage } from "./dataset-picture.ts";
import declaration from "./dataset-report.node.ts";

/** Cosine above which a reference counts as a copy of the target's face. */
const COPY = 0.97;

interface Row {
  readonly split: "train" | "heldOut";
  readonly example: Example;
  readonly hash: string;
  /** Of reference k to its face. */
  readonly similarity: readonly number[];
  /** References that cannot be compared: no face is known of them, or of their place in the target. */
  readonly unmeasured: number;
  readonly problems: string[];
}

export default implementNode(declaration, {
  async run(i, ctx) {
    const rows: Row[] = [];
    const wanted = (["train", "heldOut"] as const).flatMap((split) =>
      Array.from({ length: Math.min(i.examples, split === "train" ? i.dataset.train : i.dataset.heldOut) }, (_, index) => ({
        split,
        index,
      })),
    );
    for (const [k, { split, index }] of wanted.entries()) {
      const example = await i.dataset.example(split, index);
      const { similarity, unmeasured, problems } = await likeness(ctx.compute, i.encoder, example);
      const hash = differenceHash(example.target);
      const twin = rows.find((row) => hashDistance(row.hash, hash) <= i.duplicates);
      if (twin)
        problems.push(`its target is nearly that of ${twin.example.id}${twin.split === split ? "" : ", which is in the other split"}`);
      rows.push({ split, example, hash, similarity, unmeasured, problems });
      ctx.progress(k + 1, wanted.length, example.id);
    }
    if (rows.length === 0)
      throw new AppError("DATASET_EMPTY", "the dataset has no example to report", { hint: "look at what the dataset node rejects" });
    const sheet = contactSheet(rows.map(({ example, problems }) => ({ example, isOk: problems.length === 0 })));
    const { rgb, width, height } = pictureBytes(sheet, 0);
    const file = await ctx.saveAs(`${i.prefix}/sheet.png`, await encodePng(rgb, width, height));
    await ctx.saveAs(
      `${i.prefix}/report.json`,
      new TextEncoder().encode(`${JSON.stringify(reportOf(rows, i.dataset.leftOut ?? []), null, 2)}\n`),
    );
    ctx.show({ images: [file] });
    for (const row of rows) for (const problem of row.problems) ctx.log("warn", `${row.example.id}: ${problem}`);
    for (const { id, why } of i.dataset.leftOut ?? []) ctx.log("warn", `${id} is left out: ${why}`);
    const of = i.dataset.train + i.dataset.heldOut;
    if (rows.length < of) ctx.log("warn", `${rows.length} of ${of} examples are looked at: raise examples to see all`);
    const unmeasured = rows.reduce((n, row) => n + row.unmeasured, 0);
    if (unmeasured > 0)
      ctx.log(
        "warn",
        `how like ${unmeasured} references are to the target is not measured: the dataset knows no face of them, or none in their place`,
      );
    const all = rows.flatMap((row) => row.similarity);
    const values = {
      examples: rows.length,
      people: rows.reduce((n, { example }) => n + example.references.length, 0),
      faces: rows.reduce((n, { example }) => n + example.targetFaces.length, 0),
      with_problems: rows.filter((row) => row.problems.length > 0).length,
      left_out: i.dataset.leftOut?.length ?? 0,
      ...(all.length > 0 && {
        similarity_min: Math.min(...all),
        similarity_mean: all.reduce((a, b) => a + b, 0) / all.length,
        similarity_max: Math.max(...all),
      }),
    };
    ctx.score("dataset", values);
    return { sheet, METRICS: { values, details: reportOf(rows, i.dataset.leftOut ?? []) } };
  },
});

async function likeness(
  compute: Compute,
  encoder: FaceEncoder | undefined,
  example: Example,
): Promise<{ similarity: number[]; unmeasured: number; problems: string[] }> {
  const problems: string[] = [];
  const similarity: number[] = [];
  let unmeasured = 0;
  if (!encoder) return { similarity, unmeasured, problems };
  const vectors = (images: Image, face: Face) => embedFaces(compute, encoder, { images, faces: [[face]] });
  for (const [k, reference] of example.references.entries()) {
    const [from, to] = [example.referenceFaces[k], example.targetFaces[k]];
    if (!from || !to) {
      unmeasured++;
      continue;
    }
    const compared = similarityOf(await vectors(reference, from), await vectors(example.target, to));
    const value = Number(compared.values.data[0]);
    similarity.push(value);
    if (value > COPY)
      problems.push(`reference ${k + 1} is a copy of its face in the target (similarity ${value.toFixed(2)}): copying is what it teaches`);
    else if (!accepts(compared, 0, 0, compared.comparison.threshold))
      problems.push(`reference ${k + 1} and its face in the target are not taken for the same person (similarity ${value.toFixed(2)})`);
  }
  return { similarity, unmeasured, problems };
}

function reportOf(rows: readonly Row[], leftOut: readonly { readonly id: string; readonly why: string }[]) {
  const size = (image: Image) => Object.values(sizeOfImage(image)).join("×");
  return {
    examples: rows.map(({ split, example, similarity, problems }) => ({
      id: example.id,
      split,
      prompt: example.prompt,
      target: size(example.target),
      references: example.references.map(size),
      faces: example.targetFaces.length,
      similarity,
      problems,
    })),
    left_out: leftOut,
  };
}
