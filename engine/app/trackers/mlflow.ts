// MLflow's REST API 2.0: experiment by name, a run in it, metrics and parameters in batches, and its end.
import { z } from "zod";
import { stringifyJson } from "../../base/json.ts";
import { type Point, request, type TrackedRun, type Tracker, TrackerError } from "./tracker.ts";

export interface MlflowOptions {
  readonly url: string;
  readonly experiment: string;
}

/** What one call of log-batch takes. */
const MAX_METRICS = 1000;
const MAX_PARAMS = 100;
/** Longer parameter values are refused. */
const MAX_VALUE = 500;

const found = z.object({ experiment: z.object({ experiment_id: z.string() }) });
const created = z.object({ experiment_id: z.string() });
const begun = z.object({ run: z.object({ info: z.object({ run_id: z.string() }) }) });

const STATUS = { finished: "FINISHED", failed: "FAILED", cancelled: "KILLED" } as const;

export function mlflow({ url, experiment }: MlflowOptions): Tracker {
  const base = url.replace(/\/+$/, "");
  const at = (path: string): URL => new URL(`${base}/api/2.0/mlflow/${path}`);
  let runId = "";
  const experimentId = async (): Promise<string> => {
    const query = at("experiments/get-by-name");
    query.searchParams.set("experiment_name", experiment);
    try {
      return found.parse(await request("GET", query)).experiment.experiment_id;
    } catch (error) {
      if (!(error instanceof TrackerError) || error.status !== 404) throw error;
      return created.parse(await request("POST", at("experiments/create"), { name: experiment })).experiment_id;
    }
  };
  return {
    name: "MLflow",
    async begin({ id, name, started, settings }: TrackedRun) {
      const body = {
        experiment_id: await experimentId(),
        run_name: `${name} ${id}`,
        start_time: started,
        tags: [{ key: "whos-who.run", value: id }],
      };
      runId = begun.parse(await request("POST", at("runs/create"), body)).run.info.run_id;
      const params = Object.entries(settings).map(([key, value]) => ({
        key,
        value: (typeof value === "string" ? value : stringifyJson(value)).slice(0, MAX_VALUE),
      }));
      for (let i = 0; i < params.length; i += MAX_PARAMS)
        await request("POST", at("runs/log-batch"), { run_id: runId, params: params.slice(i, i + MAX_PARAMS) });
    },
    async log(points: readonly Point[]) {
      const timestamp = Date.now();
      const metrics = points.flatMap(({ step, values }) => Object.entries(values).map(([key, value]) => ({ key, value, timestamp, step })));
      for (let i = 0; i < metrics.length; i += MAX_METRICS)
        await request("POST", at("runs/log-batch"), { run_id: runId, metrics: metrics.slice(i, i + MAX_METRICS) });
    },
    async end(state) {
      await request("POST", at("runs/update"), { run_id: runId, status: STATUS[state], end_time: Date.now() });
    },
  };
}
