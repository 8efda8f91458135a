// Trackio's HTTP API (version 1): POST /api/bulk_log, with the write token of the address in a header.
import { z } from "zod";
import { type Point, request, type TrackedRun, type Tracker } from "./tracker.ts";

export interface TrackioOptions {
  /** As Trackio prints it: with `?write_token=…` where one is needed. */
  readonly url: string;
  readonly project: string;
}

const answer = z.looseObject({ error: z.string().nullish() });

export function trackio({ url, project }: TrackioOptions): Tracker {
  const address = new URL(url);
  const token = address.searchParams.get("write_token");
  const endpoint = new URL(`${address.origin}${address.pathname.replace(/\/$/, "")}/api/bulk_log`);
  let run: TrackedRun | undefined;
  let isConfigSent = false;
  return {
    name: "Trackio",
    async begin(of) {
      run = of;
    },
    async log(points: readonly Point[]) {
      if (!run || points.length === 0) return;
      const { id, name, settings } = run;
      const logs = points.map(({ step, values }, i) => ({
        project,
        run: `${name} ${id}`,
        run_id: id,
        step,
        metrics: values,
        // The same update sent twice, after an answer that was lost, is kept once.
        log_id: `${id}-${step}`,
        config: i === 0 && !isConfigSent ? settings : null,
      }));
      const body = { args: [], kwargs: { logs, hf_token: null } };
      const { error } = answer.parse(await request("POST", endpoint, body, token === null ? {} : { "x-trackio-write-token": token }));
      if (error) throw new Error(error);
      isConfigSent = true;
    },
    // A Trackio run has no end.
    end: async () => undefined,
  };
}
