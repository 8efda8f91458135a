import { expect, test } from "vitest";
import { newBuilder } from "../ops/table.ts";
import { createRuntime } from "../ort/runtime.ts";
import { f32 } from "../tensor/tensor.ts";
import { timestepEmbedding } from "./timestep-embedding.ts";

// diffusers 0.42's get_timestep_embedding(0.77, 256, flip_sin_to_cos=True, downscale_freq_shift=0, scale=1000), by channel.
const DIFFUSERS = new Map([
  [1, 0.9670700430870056],
  [2, 0.7144917249679565],
  [3, 0.033918529748916626],
  [5, -0.9931488037109375],
  [129, 0.2545102834701538],
  [130, 0.6996438503265381],
  [131, -0.9994245767593384],
]);

test("channels are those of diffusers, to the last bits of the angle", async () => {
  const runtime = createRuntime({ device: "cpu", threads: 1 });
  const b = newBuilder();
  const y = timestepEmbedding(b, b.input("sigma", "float32", [1]), 256);
  const result = await runtime.run(b.graph({ y }), { sigma: f32([1], [0.77]) });
  // One bit of a frequency moves these by 3e-5.
  for (const [channel, value] of DIFFUSERS) expect(Number(result.y?.data[channel])).toBeCloseTo(value, 6);
  await runtime.dispose();
});
