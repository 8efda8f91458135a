// All weights of a graph as trainable arrays.
import { AppError } from "../../../engine/base/errors.ts";
import { writeSafetensors } from "../../../engine/formats/safetensors.ts";
import type { Compute, Feeds } from "../../../engine/ir/compute.ts";
import { reach } from "../../../engine/ir/graph.ts";
import type { Graph } from "../../../engine/ir/value.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";

/** Weights by their name in the graph; an optimiser changes the arrays in place. */
export class TrainedWeights {
  readonly params = new Map<string, Float32Array>();
  readonly shapes = new Map<string, readonly number[]>();
  readonly #frozen = new Map<string, Float32Array>();

  /**
   * Copies every weight the graph depends on. @param isTrained whether a weight is trained; the others stay as they are
   * @throws AppError PRETRAIN_DTYPE when one is not stored in float32
   */
  static async of(compute: Compute, graph: Graph, isTrained: (name: string) => boolean = () => true): Promise<TrainedWeights> {
    const made = new TrainedWeights();
    const b = newBuilder();
    const copies: [string, ReturnType<typeof b.weight>][] = [];
    for (const { def, dtype, shape } of reach(graph).weights) {
      if (def.kind !== "weight") continue;
      if (dtype !== "float32")
        throw new AppError("PRETRAIN_DTYPE", `${def.name} is stored in ${dtype}: training all parameters needs float32`, {
          hint: "start from an untrained checkpoint in float32: node tools/small-checkpoint.ts untrained MODELS_DIR",
        });
      copies.push([def.name, b.add(b.weight(def.name, dtype, shape, def.source), 0)]);
    }
    const values = await compute.run(b.graph(Object.fromEntries(copies)), {});
    for (const [name, v] of copies) {
      const value = values[name];
      if (!value) throw new AppError("PRETRAIN_WEIGHT", `the value of ${name} did not come back`);
      (isTrained(name) ? made.params : made.#frozen).set(name, expectDType(value, "float32", name).slice());
      made.shapes.set(name, v.shape);
    }
    return made;
  }

  get names(): readonly string[] {
    return [...this.params.keys()];
  }

  feeds(): Feeds {
    return Object.fromEntries([...this.params].map(([name, data]) => [name, f32(this.shapes.get(name) ?? [data.length], data)]));
  }

  /**
   * A safetensors file of these arrays and of the weights that stay; the graph's prefix (`vae.`, `dit.`) is left off the names.
   * @param belongs which of them, by their name in the graph
   */
  file(
    arrays: ReadonlyMap<string, Float32Array>,
    metadata: Readonly<Record<string, string>>,
    belongs: (name: string) => boolean = () => true,
  ): Uint8Array {
    return writeSafetensors(
      new Map(
        [...this.#frozen, ...arrays]
          .filter(([name]) => belongs(name))
          .map(([name, data]) => [name.slice(name.indexOf(".") + 1), f32(this.shapes.get(name) ?? [data.length], data)]),
      ),
      metadata,
    );
  }
}

/** Gradients `grad.<name>` of an executable's results, by name. */
export function gradientsOf(results: Feeds, names: readonly string[]): Map<string, Float32Array> {
  return new Map(
    names.map((name) => {
      const g = results[`grad.${name}`];
      if (!g) throw new AppError("PRETRAIN_GRADIENT", `no gradient came back for ${name}`);
      return [name, expectDType(g, "float32", name)];
    }),
  );
}
