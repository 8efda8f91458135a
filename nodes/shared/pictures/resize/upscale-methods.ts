/** ComfyUI's `upscale_method`, in its order. */
export const UPSCALE_METHODS = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"] as const;
export type UpscaleMethod = (typeof UPSCALE_METHODS)[number];
