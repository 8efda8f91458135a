import { implementNode } from "../../engine/node/define-node.ts";
import { mapReward } from "./combine-rewards.ts";
import declaration from "./normalize-reward.node.ts";

export default implementNode(declaration, {
  run: ({ reward, mean, std }) => ({
    REWARD: mapReward(reward, { id: `normalize:${mean}:${std}`, name: "normalized", apply: (b, value) => b.div(b.sub(value, mean), std) }),
  }),
});
