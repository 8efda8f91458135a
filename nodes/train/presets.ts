// Published and suggested settings (spec: UMO arXiv 2509.06818 table of hyperparameters; the Qwen-Image-Edit recipe; the low-memory variant).

/** What a preset fixes; everything else stays as typed. */
export interface Preset {
  readonly denoise_steps: number;
  readonly window_start: number;
  readonly window_end: number;
  readonly rank: number;
  readonly alpha: number;
  readonly learning_rate: number;
  readonly accumulate: number;
}

const paper = { learning_rate: 5e-6, accumulate: 8 };

export const PRESETS = {
  "umo-uno": { ...paper, denoise_steps: 25, window_start: 1, window_end: 10, rank: 512, alpha: 512 },
  "umo-omnigen2": { ...paper, denoise_steps: 50, window_start: 1, window_end: 20, rank: 512, alpha: 512 },
  "qwen-edit-blog-30": { ...paper, denoise_steps: 30, window_start: 1, window_end: 11, rank: 512, alpha: 512 },
  "qwen-edit-blog-50": { ...paper, denoise_steps: 50, window_start: 1, window_end: 19, rank: 512, alpha: 512 },
  "qwen-edit-r128": { ...paper, denoise_steps: 30, window_start: 1, window_end: 11, rank: 128, alpha: 128 },
  "qwen-edit-r64": { ...paper, denoise_steps: 30, window_start: 1, window_end: 11, rank: 64, alpha: 64 },
} as const satisfies Readonly<Record<string, Preset>>;

export const PRESET_NAMES = [
  "custom",
  "umo-uno",
  "umo-omnigen2",
  "qwen-edit-blog-30",
  "qwen-edit-blog-50",
  "qwen-edit-r128",
  "qwen-edit-r64",
] as const;
