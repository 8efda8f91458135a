import { useEffect, useState } from "preact/hooks";
import type { RunDetail } from "../../../engine/api/runs.ts";
import { useApp } from "../../state/context.ts";
import { runName } from "../run-name.ts";
import { ChoosePictures } from "./choose-pictures.tsx";
import { RunComparisonView } from "./run-comparison-view.tsx";

/** One run against another of the history; to begin with, the one of the same name before it. */
export function CompareRuns({ run: id }: { readonly run: string }) {
  const app = useApp();
  const history = app.runs.history.value.filter((r) => r.kind === "run" && r.state !== "queued" && r.state !== "running");
  const run = app.runs.summaries.value.get(id);
  const before = history.filter((r) => r.id !== id && (!run || r.created < run.created));
  const [other, setOther] = useState<string | undefined>(
    (before.find((r) => r.name === run?.name) ?? before[0] ?? history.find((r) => r.id !== id))?.id,
  );
  const [isChoosing, setChoosing] = useState(false);
  const [details, setDetails] = useState<readonly [RunDetail, RunDetail]>();
  useEffect(() => {
    let isGone = false;
    setDetails(undefined);
    if (other !== undefined)
      void app.try(async () => {
        const both = await Promise.all([app.runDetail(other), app.runDetail(id)]);
        if (!isGone) setDetails([both[0], both[1]]);
      });
    return () => {
      isGone = true;
    };
  }, [id, other]);
  if (other === undefined) return <p class="dim">There is no other run yet. Run the graph once more, with something changed.</p>;
  return (
    <>
      <div class="row compare-with">
        <label class="row grow">
          <span class="dim">Compare with</span>
          <select class="field" value={other} onChange={(e) => setOther(e.currentTarget.value)}>
            {history
              .filter((r) => r.id !== id)
              .map((r) => (
                <option key={r.id} value={r.id}>
                  {runName(r)}
                </option>
              ))}
          </select>
        </label>
        {details && (
          <button type="button" class="button" aria-pressed={isChoosing} onClick={() => setChoosing(!isChoosing)}>
            Choose the better pictures
          </button>
        )}
      </div>
      {details && isChoosing && <ChoosePictures before={details[0]} after={details[1]} />}
      {details && !isChoosing && (
        <RunComparisonView
          before={details[0]}
          after={details[1]}
          beforeName={runName(details[0].summary)}
          afterName={runName(details[1].summary)}
        />
      )}
    </>
  );
}
