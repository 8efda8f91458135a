// Which pictures of two runs are compared with each other.
import type { FileRef } from "../../../engine/api/files.ts";
import type { RunDetail } from "../../../engine/api/runs.ts";

export interface PicturePair {
  readonly left: FileRef;
  readonly right: FileRef;
  /** What both show: the same node and number of the same workflow, whatever its settings. */
  readonly source: string;
}

const PICTURE = /\.(png|jpe?g|webp)$/i;

/**
 * The k-th saved picture of each node with the k-th of the same node in the other run. Previews are not kept, so they are left out.
 * Which run stands on the left changes from pair to pair, and follows from the names alone: a habit of the hand must not prefer a run.
 */
export function picturePairs(before: Pick<RunDetail, "nodes" | "summary">, after: Pick<RunDetail, "nodes">): PicturePair[] {
  return after.nodes.flatMap((node) => {
    const other = savedPictures(before.nodes.find(({ id, type }) => id === node.id && type === node.type));
    return savedPictures(node).flatMap((file, k) => {
      const old = other[k];
      if (!old || fileName(old) === fileName(file)) return [];
      const [left, right] = isSwapped(fileName(old) + fileName(file)) ? [file, old] : [old, file];
      return [{ left, right, source: `${before.summary.name}/${node.title}/${k + 1}`.slice(0, 200) }];
    });
  });
}

function savedPictures(node: Pick<RunDetail["nodes"][number], "files"> | undefined): readonly FileRef[] {
  return (node?.files ?? []).filter(({ type, filename }) => type === "output" && PICTURE.test(filename));
}

/** Below the output folder. */
export function fileName({ subfolder, filename }: FileRef): string {
  return subfolder === "" ? filename : `${subfolder}/${filename}`;
}

/** FNV-1a, its lowest bits folded. */
function isSwapped(text: string): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 13)) & 1) === 1;
}
