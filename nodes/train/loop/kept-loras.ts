import type { RunDirectory } from "../../../engine/node/context.ts";

const FOLDER = "checkpoints";
const NUMBERED = /^checkpoints\/(?:lora|checkpoint)-(\d+)\.safetensors$/;

/** What a run keeps along the way in `checkpoints/`: the newest few LoRAs and the best one, each with the state it came from. */
export class KeptLoras {
  readonly #dir: RunDirectory;
  readonly #last: number;

  constructor(dir: RunDirectory, last: number) {
    this.#dir = dir;
    this.#last = last;
  }

  /** Keeps what an update left, and removes the oldest beyond the number to keep. @param state a whole checkpoint, to fork or export from */
  async add(step: number, lora: Uint8Array, state: Uint8Array): Promise<void> {
    await this.#dir.write(keptState(step), state);
    await this.#dir.write(`${FOLDER}/lora-${numbered(step)}.safetensors`, lora);
    const files = (await this.#dir.list()).filter((file) => stepOf(file) <= step);
    const steps = [...new Set(files.map(stepOf))].sort((x, y) => x - y);
    const dropped = new Set(steps.slice(0, Math.max(0, steps.length - this.#last)));
    for (const file of files) if (dropped.has(stepOf(file))) await this.#dir.remove(file);
  }

  /** The state first: what is the best is said by the LoRA. @param state a whole checkpoint: it has the raw weights beside their average */
  async best(lora: Uint8Array, state: Uint8Array): Promise<void> {
    await this.#dir.write(`${FOLDER}/checkpoint-best.safetensors`, state);
    await this.#dir.write(`${FOLDER}/lora-best.safetensors`, lora);
  }
}

/** Where the state after an update is kept. */
export function keptState(step: number): string {
  return `${FOLDER}/checkpoint-${numbered(step)}.safetensors`;
}

function numbered(step: number): string {
  return String(step).padStart(6, "0");
}

/** NaN for another file. */
function stepOf(file: string): number {
  return Number(NUMBERED.exec(file)?.[1]);
}
