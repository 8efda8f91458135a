import type { Similarity } from "../contracts/data.ts";

export interface IdConf {
  /** 100/n · Σ clip(1 − cos₂/cos₁, 0, 1) over all references; a second face that does not exist has cos₂ = 0. */
  readonly paper: number;
  /** As bytedance/UMO eval/id_conf_xversebench.py: (cos₁ − cos₂)/cos₁, at most 1, 0 where cos₁ ≤ 0; undefined below two faces. */
  readonly code: number | undefined;
}

/** ID-Conf of UMO in percent: how clearly one face only is each reference. cos₁ ≥ cos₂ are its two most similar faces. */
export function idConfValue(similarity: Similarity): IdConf {
  const [m = 0, n = 0] = similarity.values.shape;
  if (m === 0) return { paper: 0, code: undefined };
  let paper = 0;
  let code = 0;
  for (let k = 0; k < m; k++) {
    const [first = 0, second = 0] = [...similarity.values.data.subarray(k * n, (k + 1) * n)].sort((a, c) => c - a);
    // cos₁ ≤ 0 makes the ratio meaningless; both forms then give no credit.
    if (first <= 0) continue;
    paper += Math.min(1, Math.max(0, 1 - second / first));
    code += Math.min(1, (first - second) / first);
  }
  return { paper: (100 * paper) / m, code: n > 1 ? (100 * code) / m : undefined };
}
