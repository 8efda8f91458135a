import { expect, test } from "vitest";
import { brownianTree } from "./brownian-tree.ts";

// torchsde 0.2.6 itself: BrownianTree(t0, torch.zeros(count), t1, entropy=seed) asked as k-diffusion asks it.
test("steps of torchsde's tree", () => {
  const sigmas = [0.99996, 0.95, 0.88, 0.75, 0.6, 0.4, 0.15];
  const noise = brownianTree(42n, 0.15, 1, 20);
  const expected = [
    [0.108053, 0.459315, 0.46635, 1.280586, 0.26483],
    [-1.168089, -0.421146, -0.108686, -0.812064, -1.083822],
    [-1.599709, 0.8388, 1.6366, -0.898166, -0.732169],
    [0.609713, -0.048656, -0.037079, 1.280553, 0.921011],
    [-0.57798, -0.848324, -0.881138, 1.266144, 0.763359],
    [-0.369059, -0.189695, -0.213992, 0.218215, -0.107724],
  ];
  expected.forEach((values, i) => {
    const step = noise(sigmas[i] ?? 0, sigmas[i + 1] ?? 0);
    values.forEach((value, k) => {
      expect(step[k === 4 ? 19 : k]).toBeCloseTo(value, 5);
    });
  });
});

test("steps in any order, of any size, from a seed above 2^63, with times halfway between two ticks", () => {
  const noise = brownianTree(2n ** 63n + 12345n, 1 / 64, 1, 17);
  const expected = [
    [1, 0.5, [-0.393086, 0.390811, -0.191697, -1.742154]],
    [0.9, 0.7, [-1.020021, 0.766221, -0.469018, -0.998805]],
    [0.5, 1 / 64, [1.312334, 1.852023, 1.303393, 0.608582]],
    [0.5, 1 / 32 + 1 / 128, [1.255955, 1.51108, 1.663888, 0.568044]],
  ] as const;
  for (const [sigma, next, values] of [...expected, ...expected.toReversed()]) {
    const step = noise(sigma, next);
    values.forEach((value, k) => {
      expect(step[k === 3 ? 16 : k]).toBeCloseTo(value, 5);
    });
  }
});
