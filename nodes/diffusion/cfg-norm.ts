import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { cfgNorm } from "../shared/diffusion/guidance.ts";
import declaration from "./cfg-norm.node.ts";

export default implementNode(declaration, {
  run({ model, strength, pre_cfg }) {
    if (pre_cfg) throw new AppError("CFGNORM_PRE_CFG", "normalising before guidance is not supported", { hint: "turn pre_cfg off" });
    return { patched_model: model.withSampling({ postCfg: cfgNorm(strength) }) };
  },
});
