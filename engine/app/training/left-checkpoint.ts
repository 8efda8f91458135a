import { stat } from "node:fs/promises";
import { resolveInside } from "../../store/safe-path.ts";

/** The name is the trainer's: see `CHECKPOINT` of the training loop. */
const FILE = "checkpoint.safetensors";

/** Whether any of a run's trainings left something to continue from. @param directories of the trainings, below `output` @throws AppError PATH_UNSAFE */
export async function leftCheckpoint(output: string, directories: readonly string[]): Promise<boolean> {
  for (const directory of directories) {
    const path = await resolveInside(output, `${directory}/${FILE}`);
    const isThere = await stat(path).then(
      (about) => about.isFile(),
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}
