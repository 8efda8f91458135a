import { join } from "node:path";
import { PreferenceFile } from "../app/preference-file.ts";
import { AppError } from "../base/errors.ts";
import { isPictureName } from "../formats/picture-format.ts";
import type { Handlers } from "./mount.ts";
import type { Services } from "./services.ts";

const FILE = "preferences.jsonl";

/** The file is read again for each request: a person may have changed it, or `graph prefer`. */
export function preferenceHandlers({ files, output }: Services): Pick<Handlers, "preferences" | "prefer" | "unprefer"> {
  const open = () => PreferenceFile.open(join(output.root, FILE));
  let last: Promise<unknown> = Promise.resolve();
  /** One change after the other: two at once would lose one of them. A change that fails is told to whoever asked for it. */
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const mine = last.then(change);
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    preferences: async () => ({ manifest: `${FILE} [output]`, comparisons: [...(await open()).comparisons] }),
    async prefer({ body: { image_win, image_lose, source } }) {
      if (image_win === image_lose) throw new AppError("REQUEST_INVALID", "body: a picture cannot be compared with itself");
      for (const name of [image_win, image_lose]) {
        if (!isPictureName(name)) throw new AppError("REQUEST_INVALID", `${JSON.stringify(name.slice(0, 200))} is no picture`);
        const { file } = await files.output.open(name);
        await file.close();
      }
      return inTurn(async () => {
        const known = await open();
        if (!(await known.add({ image_win, image_lose, ...(source !== undefined && { source }) })))
          throw new AppError("PREFERENCE_KNOWN", "these two pictures are compared already", { hint: "take that comparison back first" });
        return { count: known.comparisons.length };
      });
    },
    unprefer: ({ query: { image_win, image_lose } }) =>
      inTurn(async () => {
        const known = await open();
        if (!(await known.remove(image_win, image_lose)))
          throw new AppError("PREFERENCE_NONE", "these two pictures are not compared", { hint: "it may have been taken back already" });
        return { count: known.comparisons.length };
      }),
  };
}
