// Sockets at a glance: colour by type, shape by kind.
import type { Theme } from "./theme.ts";

export type SocketShape = "circle" | "square" | "diamond";

/** Modules are functions with parameters; values are what a person could type. The rest is data. */
const MODULES = new Set([
  "MODEL",
  "VAE",
  "CLIP",
  "LORA",
  "FACE_DETECTOR",
  "FACE_ENCODER",
  "REWARD",
  "OBJECTIVE",
  "CONTROL_NET",
  "CLIP_VISION",
  "ONNX",
]);
const VALUES = new Set(["INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"]);

/** Types that appear together get hues that are far apart, also for the colour-blind; 0 is grey. */
const HUE: Readonly<Record<string, number>> = {
  IMAGE: 1,
  MASK: 4,
  LATENT: 7,
  CONDITIONING: 5,
  FACES: 2,
  EMBEDDINGS: 3,
  SIMILARITY: 6,
  MATCHES: 8,
  METRICS: 4,
  DATASET: 2,
  MODEL: 7,
  VAE: 6,
  CLIP: 4,
  LORA: 8,
  FACE_DETECTOR: 2,
  FACE_ENCODER: 3,
  REWARD: 5,
  OBJECTIVE: 1,
  INT: 1,
  FLOAT: 3,
  STRING: 4,
  BOOLEAN: 6,
  COMBO: 8,
  "*": 0,
};

export function socketShape(type: string): SocketShape {
  const first = type.split(",")[0] ?? type;
  return MODULES.has(first) ? "square" : VALUES.has(first) ? "diamond" : "circle";
}

/** Index into the theme's hues; unknown types keep theirs from name to name. */
export function socketHue(type: string): number {
  const first = type.split(",")[0] ?? type;
  const known = HUE[first];
  if (known !== undefined) return known;
  let sum = 0;
  for (const c of first) sum = (sum * 31 + (c.codePointAt(0) ?? 0)) >>> 0;
  return 1 + (sum % 8);
}

export function socketColor(type: string, theme: Theme): string {
  return theme.hues[socketHue(type)] ?? theme.t3;
}

/** Adds the outline of a socket to the current path. */
export function socketPath(ctx: CanvasRenderingContext2D, shape: SocketShape, x: number, y: number, r: number): void {
  if (shape === "circle") {
    ctx.moveTo(x + r, y);
    ctx.arc(x, y, r, 0, Math.PI * 2);
  } else if (shape === "square") ctx.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  else {
    ctx.moveTo(x, y - r * 1.2);
    ctx.lineTo(x + r * 1.2, y);
    ctx.lineTo(x, y + r * 1.2);
    ctx.lineTo(x - r * 1.2, y);
    ctx.closePath();
  }
}
