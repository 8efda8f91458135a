// A training as it goes: where it is, curves, alarms, samples, and what a trainer can do about it.
import { useId, useMemo, useState } from "preact/hooks";
import type { RunState } from "../../../engine/api/runs.ts";
import type { Curves, Samples } from "../../../engine/api/training.ts";
import { Icon, type IconName } from "../icon.tsx";
import { ChartGroupView } from "./chart-group.tsx";
import { headline } from "./headline.ts";
import type { OtherRun } from "./other-run.ts";
import { RunComparison } from "./run-comparison.tsx";
import { SampleStrip } from "./sample-strip.tsx";
import { chartGroups } from "./series.ts";

export interface TrainingPanelProps {
  readonly name: string;
  readonly state: RunState;
  readonly curves: Curves;
  readonly samples: Samples["samples"];
  /** Only what can be done now is given. */
  readonly onPause?: (() => void) | undefined;
  readonly onResume?: (() => void) | undefined;
  readonly onStop?: (() => void) | undefined;
  readonly onExport?: (() => void) | undefined;
  readonly onExportBest?: (() => void) | undefined;
  readonly onFork?: (() => void) | undefined;
  /** Runs it can be compared with. */
  readonly others?: readonly { readonly id: string; readonly name: string }[];
  readonly other?: OtherRun | undefined;
  readonly onCompare?: ((id: string | null) => void) | undefined;
}

export function TrainingPanel(props: TrainingPanelProps) {
  const { name, state, curves, samples, others = [], other, onCompare } = props;
  const id = useId();
  const [smoothing, setSmoothing] = useState(0.6);
  const [update, setUpdate] = useState<number | null>(null);
  const groups = useMemo(() => chartGroups(curves.curves), [curves]);
  const { done, total } = curves.updates;
  const hasCurves = groups.some((g) => g.left.length + g.right.length > 0);
  return (
    <section class="training" aria-label={`Training ${name}`}>
      <header>
        <p class="training-line" aria-live="polite">
          {headline(curves, state)}
        </p>
        {total > 0 && <progress max={total} value={done} aria-label={`${done} of ${total} updates`} />}
        <div class="training-tools">
          <Tool icon="pause" label="Pause" title="Ends its step, saves, and can go on later" act={props.onPause} />
          <Tool icon="play" label="Resume" title="Continues from its checkpoint" act={props.onResume} />
          <Tool icon="stop" label="Stop and keep" title="Ends its step and saves what it has" act={props.onStop} />
          <Tool icon="down" label="Export LoRA" title="Download a LoRA of the newest checkpoint" act={props.onExport} />
          <Tool
            icon="down"
            label="Export the best"
            title="Download the LoRA with the best held-out reward so far"
            act={props.onExportBest}
          />
          <Tool icon="graphs" label="Fork" title="Open its graph in a new tab, to run it with other settings" act={props.onFork} />
          {onCompare && others.length > 0 && (
            <select
              class="field"
              aria-label="Compare with run"
              value={other?.id ?? ""}
              onChange={(e) => onCompare(e.currentTarget.value || null)}
            >
              <option value="">Compare with run …</option>
              {others.map((o) => (
                <option key={o.id} value={o.id}>
                  {o.name}
                </option>
              ))}
            </select>
          )}
        </div>
      </header>
      {curves.alarms.length > 0 && (
        <ul class="alarms" aria-label="Alarms">
          {curves.alarms.map((a) => (
            <li key={`${a.code} ${a.update}`}>
              <Icon name="warn" />
              <div>
                <p>
                  {a.message} <span class="dimmer">(update {a.update.toLocaleString("en-US")})</span>
                </p>
                {a.hint !== "" && <p class="dim">{a.hint}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
      {hasCurves && (
        <div class="row smoothing">
          <label for={id}>Smoothing</label>
          <input
            id={id}
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={smoothing}
            onInput={(e) => setSmoothing(Number(e.currentTarget.value))}
          />
          <output for={id}>{smoothing.toFixed(2)}</output>
          <span class="small dimmer grow update-at">{update === null ? "" : `update ${update.toLocaleString("en-US")}`}</span>
        </div>
      )}
      {!hasCurves && (
        <p class="dim">No update has ended yet. The first one also prepares the graphs, so it takes longer than the others.</p>
      )}
      {other ? (
        <RunComparison name={name} curves={curves} samples={samples} other={other} smoothing={smoothing} />
      ) : (
        <>
          <div class="charts">
            {groups.map((group) => (
              <ChartGroupView
                key={group.id}
                group={group}
                smoothing={smoothing}
                alarms={curves.alarms}
                best={group.id === "reward" ? curves.best : null}
                sync={id}
                update={update}
                onUpdate={setUpdate}
              />
            ))}
          </div>
          <SampleStrip samples={samples} />
        </>
      )}
    </section>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly title: string;
  readonly act: (() => void) | undefined;
}

function Tool({ icon, label, title, act }: ToolProps) {
  return act ? (
    <button type="button" class="button" title={title} onClick={act}>
      <Icon name={icon} />
      {label}
    </button>
  ) : null;
}
