import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import type { NodeContext, RunDirectory } from "../../engine/node/context.ts";
import { type InputValues, implementNode } from "../../engine/node/define-node.ts";
import type { Dataset, Example } from "../shared/contracts/data.ts";
import { encodePng } from "../shared/pictures/codec.ts";
import { pictureBytes } from "../shared/pictures/picture-bytes.ts";
import { contactSheet } from "./contact-sheet.ts";
import { type ExampleFaces, exampleFaces, facesOfExample, faultOf } from "./example-faces.ts";
import declaration from "./filter-dataset.node.ts";
import { jsonLines } from "./json-lines.ts";
import { reasonsOf } from "./reasons.ts";

const FILE = "examples.jsonl";
/** Rejected examples of each split on the sheet. */
const SHOWN = 24;

const seenLine = z.object({ split: z.enum(["train", "heldOut"]), index: z.number(), wanted: z.number(), faces: exampleFaces });
type SeenLine = z.infer<typeof seenLine>;
type Split = SeenLine["split"];
type Inputs = InputValues<(typeof declaration)["inputs"]>;

export default implementNode(declaration, {
  async run(i, ctx) {
    const look = await lookerOf(ctx, i);
    const train = await keptOf(ctx, i, look, "train");
    const heldOut = await keptOf(ctx, i, look, "heldOut");
    const rejected = [...train.rejected, ...heldOut.rejected];
    const values = {
      looked_at: train.kept.length + heldOut.kept.length + rejected.length,
      train: train.kept.length,
      held_out: heldOut.kept.length,
      rejected: rejected.length,
    };
    ctx.score("filter", { ...values, reasons: rejected.map(({ id, why }) => ({ id, why })) });
    if (rejected.length > 0) {
      const rows = rejected.flatMap(({ example }) => (example ? [{ example, isOk: false }] : []));
      const shown = rows.length < rejected.length ? ` (${i.prefix}/sheet.png shows ${rows.length} of them)` : "";
      ctx.log("warn", `${rejected.length} of ${values.looked_at} examples are rejected: ${reasonsOf(rejected)}${shown}`);
      const { rgb, width, height } = pictureBytes(contactSheet(rows), 0);
      ctx.show({ images: [await ctx.saveAs(`${i.prefix}/sheet.png`, await encodePng(rgb, width, height))] });
    }
    if (i.wanted > train.kept.length)
      ctx.log("warn", `${i.wanted} training examples are wanted, ${train.kept.length} of all ${i.dataset.train} pass`);
    if (train.kept.length === 0)
      throw new AppError("DATASET_EMPTY", `none of the ${i.dataset.train} training examples passes: ${reasonsOf(rejected)}`, {
        hint: `look at ${i.prefix}/sheet.png in the output directory; where the people are right, lower min_similarity or min_margin: encoders differ in how alike two pictures of a person are`,
      });
    const { dataset: inner, detector, encoder, prefix: _, ...rules } = i;
    const kept = { train: train.kept, heldOut: heldOut.kept };
    const at = (split: Split, index: number): number => {
      const found = kept[split][index];
      if (found === undefined) throw new AppError("DATASET_INDEX", `there is no ${split} example ${index} of ${kept[split].length}`);
      return found;
    };
    const dataset: Dataset = {
      id: `filter:${sha256(JSON.stringify([inner.id, detector.id, encoder.id, rules]))}`,
      train: train.kept.length,
      heldOut: heldOut.kept.length,
      example: (split, index) => inner.example(split, at(split, index)),
      ...(inner.bucket && { bucket: (split: Split, index: number) => inner.bucket?.(split, at(split, index)) ?? "" }),
      leftOut: [...(inner.leftOut ?? []), ...rejected.map(({ id, why }) => ({ id, why }))],
    };
    return { dataset, METRICS: { values, details: { rejected: dataset.leftOut } } };
  },
});

interface Kept {
  readonly kept: readonly number[];
  /** The first ones with their pictures. */
  readonly rejected: readonly { readonly id: string; readonly why: string; readonly example?: Example }[];
}

async function keptOf(ctx: NodeContext, i: Inputs, look: Looker, split: Split): Promise<Kept> {
  const kept: number[] = [];
  const rejected: { id: string; why: string; example?: Example }[] = [];
  const count = split === "train" ? i.dataset.train : i.dataset.heldOut;
  for (let index = 0; index < count; index++) {
    if (split === "train" && i.wanted > 0 && kept.length >= i.wanted) break;
    ctx.signal.throwIfAborted();
    const { faces, wanted } = await look(split, index);
    const why = faultOf(faces, wanted, i);
    if (why === undefined) kept.push(index);
    else rejected.push({ id: faces.id, why, ...(rejected.length < SHOWN && { example: await i.dataset.example(split, index) }) });
    ctx.progress(index + 1, count, `${split === "train" ? "" : "held out, "}${kept.length} kept, ${rejected.length} rejected`);
  }
  return { kept, rejected };
}

type Looker = (split: Split, index: number) => Promise<{ readonly faces: ExampleFaces; readonly wanted: number }>;

/** Looks at examples; what was seen is kept, so that a run that was stopped goes on, and other limits ask for no second look. */
async function lookerOf(ctx: NodeContext, { dataset, detector, encoder }: Inputs): Promise<Looker> {
  const dir: RunDirectory = await ctx.runDirectory(`filter-${sha256(`${dataset.id}|${detector.id}|${encoder.id}`).slice(0, 12)}`);
  const known = new Map<string, SeenLine>();
  for (const seen of await jsonLines(dir, FILE, seenLine)) known.set(`${seen.split} ${seen.index}`, seen);
  return async (split, index) => {
    const seen = known.get(`${split} ${index}`);
    if (seen) return seen;
    const example = await dataset.example(split, index);
    const faces = await facesOfExample(ctx.compute, { detector, encoder }, example);
    const wanted = example.references.length;
    await dir.append(FILE, JSON.stringify({ split, index, wanted, faces } satisfies SeenLine));
    return { faces, wanted };
  };
}
