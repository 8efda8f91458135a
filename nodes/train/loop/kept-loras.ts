import type { RunDirectory } from "../../../engine/node/context.ts";

const FOLDER = "checkpoints";
const NUMBERED = /^checkpoints\/lora-(\d+)\.safetensors$/;

/** LoRAs of a run along its way, in `checkpoints/`: the newest few, and the best. */
export class KeptLoras {
  readonly #dir: RunDirectory;
  readonly #last: number;

  constructor(dir: RunDirectory, last: number) {
    this.#dir = dir;
    this.#last = last;
  }

  /** Keeps the LoRA of an update, and removes the oldest beyond the number to keep. */
  async add(step: number, bytes: Uint8Array): Promise<void> {
    await this.#dir.write(`${FOLDER}/lora-${String(step).padStart(6, "0")}.safetensors`, bytes);
    const numbered = (await this.#dir.list()).filter((file) => NUMBERED.test(file) && Number(NUMBERED.exec(file)?.[1]) <= step).sort();
    for (const file of numbered.slice(0, Math.max(0, numbered.length - this.#last))) await this.#dir.remove(file);
  }

  async best(bytes: Uint8Array): Promise<void> {
    await this.#dir.write(`${FOLDER}/lora-best.safetensors`, bytes);
  }
}
