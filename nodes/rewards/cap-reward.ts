import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./cap-reward.node.ts";
import { mapReward } from "./combine-rewards.ts";

export default implementNode(declaration, {
  run: ({ reward, cap }) => ({ REWARD: mapReward(reward, { id: `cap:${cap}`, name: "cap", apply: (b, value) => b.min(value, cap) }) }),
});
