// The text encoder against transformers: te_tiny_comfy, te_tiny_transformers5 and what they must give, te_tiny_io.
import { z } from "zod";
import type { Compute } from "../../engine/ir/compute.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import { f32, type Tensor, tensor } from "../../engine/tensor/tensor.ts";
import { mropePositions, type Run } from "../../nodes/qwen/text/mrope-positions.ts";
import { openQwenVl, type Part, type QwenVl } from "../../nodes/qwen/text/open-qwen-vl.ts";
import { normalisePlanes, patchify } from "../../nodes/qwen/text/vision/patchify.ts";
import { type PatchGrid, windows } from "../../nodes/qwen/text/vision/windows.ts";
import { type GoldenTextEncoder, goldenTextEncoder } from "../golden-text-encoder.ts";
import { relativeError } from "../relative-error.ts";
import { EXACT, type Family, type ParityCase } from "./golden.ts";
import { tokenIds } from "./token-ids.ts";

const Layout = z.array(z.union([z.tuple([z.literal("t"), z.int()]), z.tuple([z.literal("i"), z.int(), z.int()])]));
const Vectors = z.object({
  mrope_positions: z.array(z.object({ layout: Layout, positions: z.array(z.tuple([z.int(), z.int(), z.int()])) })).optional(),
});

/** Token ids, position vectors, and the cases of the two namings; nothing where the files are absent. */
export const textEncoder: Family = async function* (directory) {
  yield* tokenIds(directory);
  const { mrope_positions = [] } = Vectors.parse(directory.json("vectors.json") ?? {});
  for (const { layout, positions } of mrope_positions) {
    const [t, h, w] = mropePositions(
      layout.map((r): Run => (r[0] === "t" ? { kind: "text", length: r[1] } : { kind: "image", grid: { h: r[1], w: r[2] } })),
    );
    const same = JSON.stringify(t.map((_, i) => [t[i], h[i], w[i]])) === JSON.stringify(positions);
    yield { name: `mrope positions ${layout.map((r) => r.join(" ")).join(", ")}`, error: same ? 0 : Infinity, limit: 0 };
  }
  const io = await directory.open("te_tiny_io.safetensors");
  if (!io) return;
  const golden = goldenTextEncoder(io);
  for (const naming of ["te_tiny_comfy", "te_tiny_transformers5"]) {
    const file = await directory.open(`${naming}.safetensors`);
    if (file) yield* modelCases(naming, await openQwenVl(file, golden.config), io, golden, directory.compute);
  }
};

async function* modelCases(
  naming: string,
  model: QwenVl,
  io: WeightFile,
  { grids, layout }: GoldenTextEncoder,
  compute: Compute,
): AsyncGenerator<ParityCase> {
  const compare = async (what: string, actual: Tensor, expected: string): Promise<ParityCase> => ({
    name: `${naming} ${what}`,
    error: relativeError(actual, await io.read(expected)),
    limit: EXACT,
  });
  const pictures: Extract<Part, { kind: "image" }>[] = [];
  for (const [i, grid] of grids.entries()) {
    const patches = patchesOf(await io.read(`image${i}`), grid, model);
    const width = patches.shape[1] ?? 0;
    yield await compare(`image${i} first patches`, f32([2, width], patches.data.slice(0, 2 * width)), `image${i}.patches_first2`);
    yield await compare(`image${i} last patches`, f32([2, width], patches.data.slice(-2 * width)), `image${i}.patches_last2`);
    const order = BigInt64Array.from(windows(grid, model.config.vision).flat(), BigInt);
    yield await exact(`${naming} image${i} window order`, tensor("int64", [order.length], order), io, `image${i}.window_index`);
    const tokens = await model.vision(compute, patches, grid);
    yield await compare(`image${i} vision tokens`, tokens, `image${i}.vision_raster_order`);
    pictures.push({ kind: "image", grid, tokens });
  }
  const parts = layout.map((x): Part => {
    const picture = "image" in x ? pictures[x.image] : undefined;
    return picture ?? { kind: "text", ids: "id" in x ? [x.id] : [] };
  });
  const runs = parts.map((p): Run => (p.kind === "text" ? { kind: "text", length: p.ids.length } : p));
  const positions = mropePositions(runs, model.config.vision.merge);
  const flat = BigInt64Array.from(positions.flat(), BigInt);
  yield await exact(`${naming} positions`, tensor("int64", [3, positions[0].length], flat), io, "position_ids");
  yield await compare("states", await model.hidden(compute, parts), "hidden_raster");
  const { data } = await io.read("text_only.ids");
  const ids = [...data].map(Number);
  yield await compare("states, text only", await model.hidden(compute, [{ kind: "text", ids }]), "text_only.hidden");
}

/** Patches of a picture [H,W,3] of bytes that needs no resizing. */
function patchesOf(picture: Tensor, grid: PatchGrid, { config }: QwenVl): Tensor<"float32"> {
  const { patch, merge } = config.vision;
  const values = Float32Array.from([...picture.data], (x) => Number(x) / 255);
  return patchify(normalisePlanes(values), grid, patch, merge);
}

async function exact(name: string, actual: Tensor, io: WeightFile, expected: string): Promise<ParityCase> {
  const wanted = await io.read(expected);
  const same = actual.data.length === wanted.data.length && actual.data.every((x, i) => x === wanted.data[i]);
  return { name, error: same ? 0 : Infinity, limit: 0 };
}
