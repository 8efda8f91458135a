import { AppError } from "../../engine/base/errors.ts";
import { stringifyJson } from "../../engine/base/json.ts";
import { writeLora } from "../../engine/formats/lora-file.ts";
import { LORA_FORMATS, type LoraDType } from "../../engine/formats/lora-formats.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { DiffusionModel, Lora, Vae } from "../shared/contracts/modules.ts";
import { loadLora } from "./load-lora.ts";
import { probePicture, psnr } from "./probe-picture.ts";
import declaration from "./save-lora.node.ts";
import { weightsOfBytes } from "./weights-of-bytes.ts";

/** Below this the file is not the LoRA that was trained. bfloat16 rounds weights to 3 digits. */
const LIMIT: Readonly<Record<LoraDType, number>> = { float32: 100, bfloat16: 35, float16: 50 };

export default implementNode(declaration, {
  async run({ lora, model, vae, prefix, format, dtype }, ctx) {
    const odd = lora.adapters.find((x) => x.outer || x.bias || x.dora);
    if (odd)
      throw new AppError(
        "LORA_EXPORT",
        `${odd.target} is ${odd.outer ? "a LoKr" : odd.dora ? "DoRA" : "a layer with a bias"}: these formats hold plain LoRAs`,
        { hint: "keep the file that it was read from" },
      );
    const formats = format === "all" ? LORA_FORMATS : [format];
    const trained = model && vae ? await probePicture(ctx.compute, model.withAdapters(lora.adapters), vae, 1) : null;
    const files: { format: string; file: string; psnr_db: number | "not checked" }[] = [];
    for (const f of formats) {
      const bytes = writeLora(lora, f, dtype, { prompt: stringifyJson(ctx.workflow.prompt) });
      const saved = await ctx.save(`${prefix}_${f}`, "safetensors", bytes);
      const db = model && vae && trained ? await compare(ctx, model, vae, lora, trained, saved.filename, bytes, dtype) : null;
      ctx.log(
        "info",
        `${f}: ${saved.subfolder}/${saved.filename}${db === null ? "" : `, loaded back: ${db === Number.POSITIVE_INFINITY ? "identical" : `${db.toFixed(1)} dB`}`}`,
      );
      files.push({ format: f, file: saved.filename, psnr_db: db === null ? "not checked" : Math.min(db, 999) });
    }
    ctx.score("lora_files", files);
    return {};
  },
});

async function compare(
  ctx: NodeContext,
  model: DiffusionModel,
  vae: Vae,
  lora: Lora,
  trained: Float32Array,
  name: string,
  bytes: Uint8Array,
  dtype: LoraDType,
): Promise<number> {
  const back = await loadLora(weightsOfBytes(name, bytes), model.linears, 1);
  if (back.adapters.length !== lora.adapters.length || back.unmatched.length > 0)
    throw new AppError(
      "LORA_EXPORT",
      `${name}: ${back.adapters.length} of ${lora.adapters.length} adapters were found when loading it back`,
    );
  const db = psnr(trained, await probePicture(ctx.compute, model.withAdapters(back.adapters), vae, 1));
  // Not `db < LIMIT`: NaN is no match.
  if (!(db >= LIMIT[dtype])) throw new AppError("LORA_EXPORT", `${name} gives another picture when loaded back: ${db.toFixed(1)} dB`);
  return db;
}
