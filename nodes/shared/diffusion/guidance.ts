// Classifier-free guidance, as ComfyUI and as diffusers do it. All arrays are float32 and of equal length.
import type { Guidance, Guided, PostCfg } from "../contracts/diffusion.ts";

/** u + (c − u)·scale. */
export function cfg(cond: Float32Array, uncond: Float32Array, scale: number): Float32Array {
  return cond.map((c, i) => {
    const u = uncond[i] ?? 0;
    return u + (c - u) * scale;
  });
}

/** ComfyUI's CFGNorm on x0: scales each latent pixel of `guided` down to the length the conditional one has, never up. */
export function cfgNorm(strength: number): PostCfg {
  return {
    id: `cfg-norm:${strength}`,
    apply(cond, guided, channels) {
      const pixels = cond.length / channels;
      const out = new Float32Array(cond.length);
      for (let p = 0; p < pixels; p++) {
        let c2 = 0;
        let g2 = 0;
        for (let i = p; i < cond.length; i += pixels) {
          c2 += (cond[i] ?? 0) ** 2;
          g2 += (guided[i] ?? 0) ** 2;
        }
        const scale = Math.min(1, Math.sqrt(c2) / (Math.sqrt(g2) + 1e-8)) * strength;
        for (let i = p; i < cond.length; i += pixels) out[i] = (guided[i] ?? 0) * scale;
      }
      return out;
    },
  };
}

/**
 * diffusers' true CFG on the velocity: comb = u + s·(c − u), v = comb·‖c‖/‖comb‖ per token (pipeline_qwenimage_edit.py), so that
 * ∂v/∂c = s·‖c‖/‖comb‖ with u and the norms held.
 * @param width channels of one packed token
 */
export function trueCfg(cond: Float32Array, uncond: Float32Array, scale: number, width: number): Guided {
  const v = cfg(cond, uncond, scale);
  const factor = new Float32Array(v.length);
  for (let from = 0; from < v.length; from += width) {
    let c2 = 0;
    let g2 = 0;
    for (let i = from; i < from + width; i++) {
      c2 += (cond[i] ?? 0) ** 2;
      g2 += (v[i] ?? 0) ** 2;
    }
    const ratio = g2 === 0 ? 0 : Math.sqrt(c2 / g2);
    for (let i = from; i < from + width; i++) {
      v[i] = (v[i] ?? 0) * ratio;
      factor[i] = scale * ratio;
    }
  }
  return { v, factor };
}

/** {@link trueCfg} with the negative prompt as its only other branch; null at a scale of 1 or less. */
export function trueCfgGuidance(scale: number, width: number): Guidance | null {
  if (!(scale > 1)) return null;
  return {
    branches: [{ name: "negative", conditioning: (_, negative) => negative }],
    combine: (conditional, [unconditional = conditional]) => trueCfg(conditional, unconditional, scale, width),
  };
}
