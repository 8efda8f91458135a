import type { Compute } from "../../../engine/ir/compute.ts";
import type { Face, Image } from "../contracts/data.ts";
import type { FaceDetector } from "../contracts/modules.ts";

export interface DetectOptions {
  readonly maxFaces?: number;
  readonly minSize?: number;
}

const detected = new WeakMap<Image, WeakMap<FaceDetector, Map<string, Promise<readonly Face[]>>>>();

/** The detector's answer, shared by all rewards that look at the same picture (a tensor is never changed in place). */
export function detectOnce(compute: Compute, detector: FaceDetector, image: Image, options: DetectOptions): Promise<readonly Face[]> {
  const byDetector = detected.get(image) ?? new WeakMap<FaceDetector, Map<string, Promise<readonly Face[]>>>();
  detected.set(image, byDetector);
  const known = byDetector.get(detector) ?? new Map<string, Promise<readonly Face[]>>();
  byDetector.set(detector, known);
  const key = JSON.stringify(options);
  const answer = known.get(key) ?? detector.detect(compute, image, options);
  known.set(key, answer);
  answer.catch(() => known.delete(key));
  return answer;
}
