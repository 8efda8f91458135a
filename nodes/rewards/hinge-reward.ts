import { implementNode } from "../../engine/node/define-node.ts";
import { mapReward } from "./combine-rewards.ts";
import declaration from "./hinge-reward.node.ts";

export default implementNode(declaration, {
  run: ({ reward, floor, power }) => ({
    REWARD: mapReward(reward, {
      id: `hinge:${floor}:${power}`,
      name: "hinge",
      apply: (b, value) => {
        const below = b.relu(b.sub(floor, value));
        return b.neg(power === "2" ? b.mul(below, below) : below);
      },
    }),
  }),
});
