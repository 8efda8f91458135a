import { z } from "zod";
import { declareNode, widget } from "../../engine/node/define-node.ts";
import { DATASET } from "../shared/contracts/sockets.ts";

const count = (min: number, max: number, value: number) => widget(z.number().int().min(min).max(max).default(value));
const MAX_PEOPLE = 5;

export default declareNode({
  type: "RenderedScenesDataset",
  version: "1.0.0",
  category: "data",
  summary:
    "Drawn scenes of one to five people with a portrait of each from another drawing; the prompt says who stands where. Training, validation and test people differ.",
  inputs: {
    train: widget(z.number().int().min(1).max(1_000_000).default(1024), { tooltip: "Training scenes" }),
    held_out: widget(z.number().int().min(0).max(100_000).default(48), { tooltip: "Scenes of people never trained on" }),
    held_out_people: widget(z.enum(["validation", "test"]).default("validation"), {
      tooltip: "Choose settings on validation, report test",
    }),
    min_people: count(1, MAX_PEOPLE, 1),
    max_people: count(1, MAX_PEOPLE, MAX_PEOPLE),
    identities: widget(z.number().int().min(MAX_PEOPLE).max(1_000_000).default(4096), { tooltip: "Different people in each set" }),
    height: widget(z.number().int().min(32).max(1024).multipleOf(16).default(128), {
      tooltip: "Height of the scenes; their width depends on the number of people",
    }),
    reference_size: widget(z.number().int().min(32).max(1024).multipleOf(16).default(80), { tooltip: "Side of the square portraits" }),
    seed: count(0, 2 ** 32 - 1, 0),
  },
  outputs: { dataset: DATASET },
  cache: "pure",
  isCheap: true,
  check: (i) =>
    i.min_people !== undefined && i.max_people !== undefined && i.min_people > i.max_people
      ? [{ input: "min_people", message: `${i.min_people} is more than max_people, ${i.max_people}`, hint: "lower min_people" }]
      : [],
});
