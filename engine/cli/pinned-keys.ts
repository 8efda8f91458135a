import { readFile } from "node:fs/promises";
import { z } from "zod";
import { AppError } from "../base/errors.ts";

const earlierRun = z.object({ nodes: z.array(z.looseObject({ id: z.string(), key: z.string().nullable().optional() })) });

/** Keys of some nodes' results in the last run of this output directory. @throws AppError USAGE_PIN */
export async function pinnedKeys(ids: readonly string[], path: string): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new AppError("USAGE_PIN", `there is no earlier run to pin results of: cannot read ${path}`, {
      hint: "run it without --pin first",
      cause,
    });
  });
  const { nodes } = earlierRun.parse(JSON.parse(text));
  return new Map(
    ids.map((id) => {
      const key = nodes.find((n) => n.id === id)?.key;
      if (typeof key === "string") return [id, key];
      throw new AppError("USAGE_PIN", `the run in ${path} kept no result of node ${id}`, {
        hint: `it kept those of ${
          nodes
            .filter((n) => typeof n.key === "string")
            .map((n) => n.id)
            .join(", ") || "none"
        }`,
      });
    }),
  );
}
