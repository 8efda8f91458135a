import { join, resolve } from "node:path";
import { exportTraining, type TrainedWeights, trainingFolder } from "../app/training/export-training.ts";
import { byteCount } from "../base/byte-count.ts";
import { AppError } from "../base/errors.ts";
import { LORA_DTYPES, LORA_FORMATS } from "../formats/lora-formats.ts";
import { OutputDirectory } from "../store/output-directory.ts";
import { type Command, EXIT } from "./command.ts";
import { readArgs } from "./read-args.ts";

const USAGE = "graph export RUN_DIR [--update N|best] [--ema|--raw] [--format comfyui|diffusers|kohya|all] [--dtype NAME] [--out DIR]";

const OPTIONS = {
  update: { type: "string" },
  ema: { type: "boolean", default: false },
  raw: { type: "boolean", default: false },
  format: { type: "string", default: "all" },
  dtype: { type: "string", default: "bfloat16" },
  out: { type: "string" },
} as const;

/** A LoRA from any checkpoint of a training. */
export const exportCommand: Command = async (args) => {
  const { values, positionals } = readArgs(args, OPTIONS, [1, 1], USAGE);
  if (values.ema && values.raw) throw new AppError("USAGE_OPTION", "--ema and --raw exclude each other", { hint: USAGE });
  const weights: TrainedWeights | undefined = values.ema ? "ema" : values.raw ? "raw" : undefined;
  const update = updateOf(values.update);
  const format = oneOf("format", values.format, ["all", ...LORA_FORMATS]);
  const dtype = oneOf("dtype", values.dtype, LORA_DTYPES);
  const directory = await trainingFolder(resolve(positionals[0] ?? ""));
  const output = resolve(values.out ?? join(directory, "exports"));
  const wanted = { ...(update !== undefined && { update }), ...(weights && { weights }), dtype };
  for (const each of format === "all" ? LORA_FORMATS : [format]) {
    const lora = await exportTraining(directory, { ...wanted, format: each });
    // The folder is made when there is something to write.
    await (await OutputDirectory.open(output)).saveAs(lora.name, lora.bytes);
    const what = lora.weights === "ema" ? "the average" : "the weights";
    console.log(`${join(output, lora.name)}: ${what} after update ${lora.update}, for ${each}, ${dtype}, ${byteCount(lora.bytes.length)}`);
  }
  return EXIT.ok;
};

function updateOf(text: string | undefined): number | "best" | undefined {
  if (text === undefined || text === "best") return text;
  if (!/^\d{1,9}$/.test(text)) throw new AppError("USAGE_OPTION", `--update ${text} is no update`, { hint: "give a number, or best" });
  return Number(text);
}

function oneOf<const T extends string>(name: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new AppError("USAGE_OPTION", `there is no ${name} ${value}`, { hint: `choose ${choices.join(", ")}` });
  return found;
}
