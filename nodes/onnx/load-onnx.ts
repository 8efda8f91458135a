import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./load-onnx.node.ts";
import { describeOnnx, openOnnxModel } from "./onnx-model.ts";

export default implementNode(declaration, {
  async run({ onnx_name }, ctx) {
    const model = await openOnnxModel(ctx.models, onnx_name);
    const sockets = describeOnnx(model);
    ctx.log("info", `${onnx_name}\n${sockets}`);
    return { ONNX_MODEL: model, sockets };
  },
});
