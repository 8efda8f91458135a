// Panels for what nodes show: who is who, training, scores. The inspector offers each that matches, small; the dialog shows it large.
import type { ComponentType } from "preact";
import type { NodeRun } from "../state/node-runs.ts";

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
export const resultPanels: readonly ResultPanel[] = [];
