import type { z } from "zod";
import { jsonOf } from "../../engine/base/json.ts";
import type { RunDirectory } from "../../engine/node/context.ts";

/** The lines of a file that fit the schema. Others are left out: a line that a killed process left unfinished, or one of another version. */
export async function jsonLines<T extends z.ZodType>(dir: RunDirectory, file: string, schema: T): Promise<readonly z.infer<T>[]> {
  return new TextDecoder()
    .decode((await dir.read(file)) ?? new Uint8Array())
    .split("\n")
    .flatMap((line) => {
      const parsed = schema.safeParse(jsonOf(line));
      return parsed.success ? [parsed.data] : [];
    });
}
