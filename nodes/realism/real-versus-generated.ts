import { AppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Preferences } from "../shared/realism/preferences.ts";
import { picturesIn, readFolderPicture } from "./folder-pictures.ts";
import declaration from "./real-versus-generated.node.ts";
import { splitBySource } from "./split-by-source.ts";

interface Picture {
  readonly name: string;
  readonly content: string;
  readonly marks: readonly string[];
}

export default implementNode(declaration, {
  async run({ real, generated, held_out }, ctx): Promise<{ preferences: Preferences }> {
    const [good, bad] = [await pictures(ctx, real), generated === "" ? [] : await pictures(ctx, generated)];
    const both = good.find((p) => bad.some((q) => q.content === p.content));
    if (both) throw new AppError("PREFERENCES", `${both.name} is in both folders: it cannot be real and generated`);
    const [wins, loses] = [splitBySource(good, held_out), splitBySource(bad, held_out)];
    for (const which of ["train", "heldOut"] as const)
      if (wins[which].length === 0 || (bad.length > 0 && loses[which].length === 0)) {
        const what = which === "train" ? "to train on" : "held out";
        if (which === "train")
          throw new AppError("PREFERENCES", `no picture is left ${what}`, { hint: "lower held_out, or give more pictures" });
        if (held_out > 0) ctx.log("warn", `no picture of ${wins[which].length === 0 ? real : generated} is ${what}: they are too few`);
      }
    /** The longer list once; the shorter one again and again. */
    const count = (which: "train" | "heldOut") =>
      wins[which].length === 0 || (bad.length > 0 && loses[which].length === 0) ? 0 : Math.max(wins[which].length, loses[which].length);
    return {
      preferences: {
        id: `folders:${sha256(JSON.stringify([good, bad, held_out]))}`,
        train: count("train"),
        heldOut: count("heldOut"),
        async pair(which, index) {
          const win = wins[which][index % Math.max(1, wins[which].length)];
          const lose = loses[which][index % Math.max(1, loses[which].length)];
          if (!win || index >= count(which))
            throw new AppError("PREFERENCES", `there is no ${which} comparison ${index} of ${count(which)}`);
          return {
            id: `${win.name} / ${lose?.name ?? "itself"}`,
            win: { image: await readFolderPicture(ctx, win.name) },
            lose: lose ? { image: await readFolderPicture(ctx, lose.name) } : null,
            weight: 1,
            labelled: true,
          };
        },
      },
    };
  },
});

/** A picture's folder below the named one is its source: one person, one shoot. */
async function pictures(ctx: Pick<NodeContext, "listInputs" | "readInput" | "progress">, folder: string): Promise<Picture[]> {
  const names = await picturesIn(ctx, folder);
  const out: Picture[] = [];
  for (const name of names) {
    const content = sha256(await ctx.readInput(name));
    const below = name.slice(folder === "." ? 0 : folder.replace(/\s*\[\w+\]$/, "").length + 1);
    const place = below.lastIndexOf("/");
    out.push({ name, content, marks: place < 0 ? [content] : [`folder:${below.slice(0, place)}`, content] });
    ctx.progress(out.length, names.length, `pictures of ${folder}`);
  }
  return out;
}
