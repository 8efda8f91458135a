import { randomSource } from "../../engine/base/random.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Dataset, Example } from "../shared/contracts/data.ts";
import { personOf } from "./person.ts";
import { renderScene } from "./render-scene.ts";
import declaration from "./rendered-people-dataset.node.ts";

/** Words for the places of n people in a row. */
const PLACES: Readonly<Record<number, readonly string[]>> = {
  1: ["in the middle"],
  2: ["on the left", "on the right"],
  3: ["on the left", "in the middle", "on the right"],
};

/** The instruction of a scene: picture k shows the person at place k. */
export function scenePrompt(count: number): string {
  const places = PLACES[count] ?? Array.from({ length: count }, (_, k) => `at place ${k + 1} from the left`);
  const parts = places.map((place, k) => `the person of picture ${k + 1} ${place}`);
  return `A photo with ${parts.join(" and ")}.`;
}

export default implementNode(declaration, {
  run(i): { dataset: Dataset } {
    const example = (split: "train" | "heldOut", index: number): Promise<Example> => {
      const rng = randomSource((BigInt(i.seed) << 32n) ^ BigInt(index * 2 + (split === "train" ? 0 : 1)));
      const ids = new Set<number>();
      while (ids.size < i.people) ids.add(rng.below(i.identities));
      // Held-out people come from the other half of the seed space.
      const people = [...ids].map((id) => personOf((i.seed * 7_919 + id) * 2 + (split === "train" ? 0 : 1)));
      const scene = renderScene(people, i.width, i.height, rng);
      const portraits = people.map((p) => renderScene([p], i.reference_size, i.reference_size, rng));
      return Promise.resolve({
        id: `rendered:${i.seed}:${split}:${index}`,
        prompt: scenePrompt(i.people),
        references: portraits.map((p) => p.image),
        referenceFaces: portraits.flatMap((p) => p.faces),
        target: scene.image,
        targetFaces: scene.faces,
      });
    };
    return { dataset: { id: `rendered:${JSON.stringify(i)}`, train: i.train, heldOut: i.held_out, example } };
  },
});
