import { type RandomSource, randomSource } from "../../engine/base/random.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Dataset, Example, Face } from "../shared/contracts/data.ts";
import declaration from "./rendered-scenes-dataset.node.ts";
import { drawGroup } from "./scenes/group-scene.ts";
import { looksOf } from "./scenes/looks.ts";
import { scenePrompt } from "./scenes/scene-prompt.ts";

/** Width by height of scenes of 1 … 5 people. */
const ASPECTS = [1, 1.5, 2, 2, 2];

/** Three sets of people that share nobody. */
const SETS = { train: 0, validation: 1, test: 2 } as const;

/** Multiples of 16. */
function sceneSize(people: number, height: number): [width: number, height: number] {
  return [Math.round(((ASPECTS[people - 1] ?? 2) * height) / 16) * 16, height];
}

export default implementNode(declaration, {
  run(i): { dataset: Dataset } {
    const peopleIn = (index: number) => i.min_people + (index % (i.max_people - i.min_people + 1));
    const example = (split: "train" | "heldOut", index: number): Promise<Example> => {
      const set = SETS[split === "train" ? "train" : i.held_out_people];
      const rng = randomSource((BigInt(i.seed) << 32n) ^ BigInt(index * 3 + set));
      const ids = new Set<number>();
      while (ids.size < peopleIn(index)) ids.add(rng.below(i.identities));
      const standing = [...ids].map((id) => looksOf((i.seed * 7_919 + id) * 3 + set));
      const scene = drawGroup(standing, ...sceneSize(standing.length, i.height), rng);
      // order[place] = reference: the portraits come in another order.
      const order = shuffled(standing.length, rng);
      const byReference = <T>(of: (place: number) => T): T[] => order.map((_, k) => of(order.indexOf(k)));
      const portraits = byReference((place) => drawGroup(standing.slice(place, place + 1), i.reference_size, i.reference_size, rng));
      return Promise.resolve({
        id: `scene:${i.seed}:${set}:${index}`,
        prompt: scenePrompt({ order, clothes: scene.clothes, backdrop: scene.backdrop }, rng),
        references: portraits.map((p) => p.image),
        referenceFaces: portraits.flatMap((p) => p.faces),
        target: scene.image,
        targetFaces: byReference((place) => scene.faces[place]).filter((f): f is Face => f !== undefined),
      });
    };
    const bucket = (_: string, index: number) => String(peopleIn(index));
    return { dataset: { id: `scenes:${JSON.stringify(i)}`, train: i.train, heldOut: i.held_out, example, bucket } };
  },
});

function shuffled(n: number, rng: RandomSource): number[] {
  const order = Array.from({ length: n }, (_, k) => k);
  for (let k = n - 1; k > 0; k--) {
    const j = rng.below(k + 1);
    [order[k], order[j]] = [order[j] ?? 0, order[k] ?? 0];
  }
  return order;
}
