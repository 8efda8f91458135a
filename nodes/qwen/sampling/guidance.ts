// Classifier-free guidance, as ComfyUI and as diffusers do it. All arrays are float32 and of equal length.

/** u + (c − u)·scale, on x0. */
export function cfg(cond: Float32Array, uncond: Float32Array, scale: number): Float32Array {
  return cond.map((c, i) => {
    const u = uncond[i] ?? 0;
    return u + (c - u) * scale;
  });
}

/**
 * ComfyUI's CFGNorm on x0: scales each latent pixel of `guided` down to the length the conditional one has, never up.
 * @param channels of a [C, H·W] latent: lengths are over channels
 */
export function cfgNorm(cond: Float32Array, guided: Float32Array, strength: number, channels: number): Float32Array {
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
}

/**
 * diffusers' true CFG on the velocity: u + s·(c − u), scaled per token to the length of c (pipeline_qwenimage_edit.py).
 * @param width channels of one packed token
 */
export function trueCfg(cond: Float32Array, uncond: Float32Array, scale: number, width: number): Float32Array {
  const out = cfg(cond, uncond, scale);
  for (let from = 0; from < out.length; from += width) {
    let c2 = 0;
    let g2 = 0;
    for (let i = from; i < from + width; i++) {
      c2 += (cond[i] ?? 0) ** 2;
      g2 += (out[i] ?? 0) ** 2;
    }
    const ratio = g2 === 0 ? 0 : Math.sqrt(c2 / g2);
    for (let i = from; i < from + width; i++) out[i] = (out[i] ?? 0) * ratio;
  }
  return out;
}
