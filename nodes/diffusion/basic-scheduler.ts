import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./basic-scheduler.node.ts";
import { schedule } from "./sampling/schedulers.ts";

export default implementNode(declaration, {
  run: ({ model, scheduler, steps, denoise }) => ({ SIGMAS: schedule(scheduler, model.sampling, steps, denoise) }),
});
