import { AppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { sizeOf } from "../../engine/tensor/shape.ts";
import { expectDType, f32, type Tensor } from "../../engine/tensor/tensor.ts";
import type { Image } from "../shared/contracts/data.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import type { OnnxModel } from "./onnx-model.ts";
import declaration, { type READ } from "./onnx-reward.node.ts";
import { applyToPicture, type PictureInputOptions, picturePort } from "./picture-input.ts";

interface Reading {
  readonly output: string;
  readonly read: (typeof READ)[number];
  readonly element: number;
  readonly sign: 1 | -1;
}

export default implementNode(declaration, {
  run({ model, output, read, element, maximize, size, mean, std, color }) {
    const name = output === "" ? (model.outputs[0]?.name ?? "") : output;
    if (!model.outputs.some((o) => o.name === name))
      throw new AppError("ONNX_OUTPUT", `${model.name} has no output ${name}`, {
        hint: `it has ${model.outputs.map((o) => o.name).join(", ")}`,
      });
    const options = { size, mean: numbers(mean, "mean"), std: numbers(std, "std"), color };
    return { REWARD: onnxReward(model, options, { output: name, read, element, sign: maximize ? 1 : -1 }) };
  },
});

/** A scalar of one output as a reward. `cosine to target` compares with the model's answer on the target picture. */
export function onnxReward(model: OnnxModel, options: PictureInputOptions, reading: Reading): Reward {
  const port = picturePort(model, options.size);
  const answer = (b: Builder, image: Value): Value => {
    const value = applyToPicture(b, model, port, image, options)[reading.output];
    if (!value) throw new AppError("ONNX_OUTPUT", `${model.name} did not give ${reading.output}`);
    return b.cast(b.reshape(value, [sizeOf(value.shape)]), "float32");
  };
  const targets = new WeakMap<Image, Tensor>();
  return {
    id: `onnx-reward:${model.id}:${JSON.stringify([options, reading])}`,
    name: model.name,
    async observe(_, { compute, target }) {
      if (reading.read !== "cosine to target") return { structure: "", constants: {}, info: {} };
      if (!target) return { skip: "there is no target picture", structure: "", constants: {}, info: {} };
      let known = targets.get(target.image);
      if (!known) {
        const [, height = 0, width = 0] = target.image.shape;
        const b = newBuilder();
        const image = b.transpose(b.input("image", "float32", [1, height, width, 3]), [0, 3, 1, 2]);
        known = (await compute.run(b.graph({ answer: answer(b, image) }), { image: target.image })).answer;
        if (!known) throw new AppError("ONNX_OUTPUT", `${model.name} gave nothing for the target`);
        targets.set(target.image, known);
      }
      return { structure: `${known.shape}`, constants: { target: unit(known) }, info: {} };
    },
    build(b, image, constants) {
      const raw = scalar(b, answer(b, image), constants.target, reading, model.name);
      return { reward: reading.sign === 1 ? raw : b.neg(raw), parts: { raw } };
    },
  };
}

function scalar(b: Builder, values: Value, target: Value | undefined, { read, element }: Reading, name: string): Value {
  if (read === "mean") return b.mean(values, [], false);
  if (read === "cosine to target") {
    if (!target) throw new AppError("ONNX_OUTPUT", `${name}: no target was observed`);
    const length = b.sqrt(b.add(b.sum(b.mul(values, values), [], false), 1e-12));
    return b.div(b.sum(b.mul(values, target), [], false), length);
  }
  const [count = 0] = values.shape;
  if (element >= count)
    throw new AppError("ONNX_OUTPUT", `${name}: element ${element} of ${count} numbers`, { hint: `choose 0 to ${count - 1}` });
  const chosen = read === "probability" ? b.softmax(values, 0) : values;
  return b.reshape(b.slice(chosen, 0, element, element + 1), []);
}

function unit(t: Tensor): Tensor<"float32"> {
  const data = expectDType(t, "float32", "the target's answer");
  const length = Math.sqrt(data.reduce((s, x) => s + x * x, 0)) || 1;
  return f32(
    t.shape,
    data.map((x) => x / length),
  );
}

function numbers(text: string, what: string): readonly number[] {
  const xs = text.split(",").map(Number);
  if ((xs.length !== 1 && xs.length !== 3) || xs.some((x) => !Number.isFinite(x)) || (what === "std" && xs.some((x) => x === 0)))
    throw new AppError("ONNX_PICTURE", `${what} "${text}" must be one or three numbers${what === "std" ? " other than 0" : ""}`, {
      hint: "for example 0.5, 0.5, 0.5",
    });
  return xs;
}
