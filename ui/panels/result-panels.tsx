// Panels for what nodes show: who is who, training, scores. The inspector offers each that matches, small; the dialog shows it large.
import type { ComponentType } from "preact";
import { nodeById } from "../doc/document.ts";
import { useApp } from "../state/context.ts";
import type { NodeRun } from "../state/node-runs.ts";
import { FacesPanel } from "./faces/faces-panel.tsx";
import { MatchPanel } from "./match/match-panel.tsx";
import { ScorePanel } from "./reward/score-panel.tsx";
import { LiveTraining } from "./training/live-training.tsx";

export interface ResultPanelProps {
  /** Prompt id of the node. */
  readonly node: string;
  readonly run: NodeRun;
  /** Id of the run, for its curves and samples. */
  readonly runId: string;
  /** The whole dialog is there for it, or the width of the inspector. */
  readonly isLarge: boolean;
}

export interface ResultPanel {
  readonly id: string;
  readonly title: string;
  readonly matches: (run: NodeRun) => boolean;
  readonly Component: ComponentType<ResultPanelProps>;
}

/** Add a panel here: nothing else has to know it. */
export const resultPanels: readonly ResultPanel[] = [
  { id: "match", title: "Who is who", matches: (run) => (run.shown.match?.length ?? 0) > 0, Component: Match },
  { id: "training", title: "Training", matches: (run) => (run.shown.training?.length ?? 0) > 0, Component: Training },
  { id: "faces", title: "Faces", matches: (run) => (run.shown.faces?.length ?? 0) > 0, Component: Faces },
  { id: "score", title: "Score", matches: (run) => (run.shown.score?.length ?? 0) > 0, Component: Score },
];

function Match({ node, run, isLarge }: ResultPanelProps) {
  const app = useApp();
  const [shown] = run.shown.match ?? [];
  if (!shown) return null;
  const id = node.split(":").at(-1) ?? "";
  const own = node === app.editor.promptId(id) ? nodeById(app.editor.graph.value, id) : undefined;
  const use = (threshold: number): void => {
    if (!own) return;
    app.editor.perform(
      [
        {
          name: "widgets.set",
          args: {
            place: app.editor.place.value,
            values: [
              { id: own.id, name: "accept", value: "custom" },
              { id: own.id, name: "threshold", value: threshold },
            ],
          },
        },
      ],
      "Set the threshold",
    );
  };
  return <MatchPanel shown={shown} maxHeight={isLarge ? 720 : 360} {...(own?.type === "HungarianMatch" && { onUse: use })} />;
}

function Training({ node, run, runId }: ResultPanelProps) {
  const [training] = run.shown.training ?? [];
  return <LiveTraining node={node} runId={runId} updates={training?.updates ?? 0} />;
}

function Score({ run }: ResultPanelProps) {
  const [score] = run.shown.score ?? [];
  return score ? <ScorePanel score={score} /> : null;
}

function Faces({ run }: ResultPanelProps) {
  const [shown] = run.shown.faces ?? [];
  return shown ? <FacesPanel shown={shown} /> : null;
}
