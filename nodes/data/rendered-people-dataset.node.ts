import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { DATASET } from "../shared/contracts/sockets.ts";

const side = z.number().int().min(32).max(2048).multipleOf(16);

export default declareNode({
  type: "RenderedPeopleDataset",
  version: "1.0.0",
  category: "data",
  summary: "Drawn scenes of several people with a portrait of each: endless, seeded, free of rights; held-out scenes show other people.",
  inputs: {
    train: widget(z.number().int().min(1).max(1_000_000).default(256), { tooltip: "Training scenes" }),
    held_out: widget(z.number().int().min(0).max(100_000).default(16), { tooltip: "Scenes of people never trained on" }),
    people: widget(z.number().int().min(1).max(6).default(2), { tooltip: "People in each scene" }),
    identities: widget(z.number().int().min(2).max(1_000_000).default(64), { tooltip: "Different people among the training scenes" }),
    width: widget(side.default(128)),
    height: widget(side.default(64)),
    reference_size: widget(side.default(64), { tooltip: "Side of the square portraits" }),
    seed: widget(
      z
        .number()
        .int()
        .min(0)
        .max(2 ** 32 - 1)
        .default(0),
    ),
  },
  outputs: { dataset: DATASET },
  cache: "pure",
  isCheap: true,
  check: (i) =>
    i.people !== undefined && i.identities !== undefined && i.identities < i.people
      ? [{ input: "identities", message: `${i.identities} identities cannot fill scenes of ${i.people} people`, hint: "raise identities" }]
      : [],
});
