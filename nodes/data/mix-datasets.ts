import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./mix-datasets.node.ts";

export default implementNode(declaration, {
  run({ dataset: first, other, share }, ctx) {
    if (share > 0 && other.train === 0) throw new AppError("DATASET_EMPTY", "the other dataset has no example to mix in");
    const added = Math.round((first.train * share) / (1 - share));
    if (added > other.train)
      ctx.log("warn", `${added} examples are wanted of the other dataset, it has ${other.train}: they come more than once`);
    const place = (split: "train" | "heldOut", index: number) =>
      split === "train" && index >= first.train
        ? ({ of: other, at: (index - first.train) % other.train } as const)
        : ({ of: first, at: index } as const);
    return {
      dataset: {
        id: `mix:${share}:${first.id}:${other.id}`,
        train: first.train + added,
        heldOut: first.heldOut,
        example: (split, index) => {
          const { of, at } = place(split, index);
          return of.example(split, at);
        },
        bucket: (split, index) => {
          const { of, at } = place(split, index);
          return of.bucket?.(split, at) ?? of.id;
        },
        leftOut: [...(first.leftOut ?? []), ...(other.leftOut ?? [])],
      },
    };
  },
});
