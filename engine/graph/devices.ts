/** What may compute. */
export const DEVICES = ["cpu", "webgpu", "cuda"] as const;
