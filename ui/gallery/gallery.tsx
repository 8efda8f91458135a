// Panels with made-up data, for looking at while building them. Not part of the bundle: `node tools/panel-gallery.ts`.
import { type ComponentChildren, render } from "preact";
import { MatchPanel } from "../panels/match/match-panel.tsx";
import { ScorePanel } from "../panels/reward/score-panel.tsx";
import { TrainingPanel } from "../panels/training/training-panel.tsx";
import { CROWD, NOBODY, TWO } from "./match-fixtures.ts";
import { samples, training } from "./training-fixtures.ts";

const nothing = (): void => undefined;
const LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen, zweiter Versuch mit höherer Lernrate";

const PAGES: Readonly<Record<string, () => ComponentChildren>> = {
  match: () => (
    <>
      <div class="narrow">
        <MatchPanel shown={TWO} onUse={nothing} />
      </div>
      <div class="middle">
        <MatchPanel shown={CROWD} onUse={nothing} />
      </div>
      <div class="narrow">
        <MatchPanel shown={NOBODY} />
      </div>
      <div class="narrow">
        <MatchPanel shown={CROWD} />
      </div>
    </>
  ),
  training: () => (
    <div class="wide">
      <TrainingPanel
        name="train"
        state="running"
        curves={training(10_000, 12_000)}
        samples={samples([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])}
        onPause={nothing}
        onStop={nothing}
        onExport={nothing}
        onFork={nothing}
        others={[{ id: "a", name: LONG }]}
        onCompare={nothing}
      />
    </div>
  ),
  score: () => (
    <>
      <div class="narrow">
        <ScorePanel
          score={{
            value: 0.6231,
            parts: { mimr: 0.712, "mimr.matched": 0.803, "mimr.unmatched": -0.181, count: 1, layout: 0.42, realism: -0.35 },
            picture: { filename: "two-people-a.jpg", subfolder: "", type: "input" },
            gradient: { filename: "gradient-960x640.svg", subfolder: "", type: "temp" },
          }}
        />
      </div>
      <div class="narrow">
        <ScorePanel
          score={{
            value: 0,
            parts: {},
            picture: { filename: "two-people-b.jpg", subfolder: "", type: "input" },
            gradient: null,
            skip: "no face was found at score 0.5",
          }}
        />
      </div>
      <div class="middle">
        <ScorePanel
          score={{
            value: 1,
            parts: { count: 1 },
            picture: { filename: "gone.png", subfolder: "", type: "temp" },
            gradient: null,
          }}
        />
      </div>
    </>
  ),
  narrow: () => (
    <>
      <div class="narrow">
        <TrainingPanel name="train" state="running" curves={training(0, 60)} samples={[]} onStop={nothing} />
      </div>
      <div class="narrow">
        <TrainingPanel
          name="train"
          state="paused"
          curves={training(60, 60)}
          samples={samples([0, 30, 60])}
          onResume={nothing}
          onFork={nothing}
        />
      </div>
    </>
  ),
  comparison: () => (
    <div class="wide">
      <TrainingPanel
        name="train"
        state="finished"
        curves={training(400, 400)}
        samples={samples([0, 200, 400])}
        onFork={nothing}
        others={[{ id: "a", name: LONG }]}
        other={{ id: "a", name: LONG, curves: training(300, 400, 2), samples: samples([0, 150, 300]) }}
        onCompare={nothing}
      />
    </div>
  ),
};

const query = new URLSearchParams(location.search);
const theme = query.get("theme");
if (theme) document.documentElement.dataset.theme = theme;
const page = PAGES[query.get("page") ?? ""];
const root = document.getElementById("app");
if (root)
  render(
    <main class="gallery">
      {page
        ? page()
        : Object.keys(PAGES).map((name) => (
            <a key={name} href={`?page=${name}`}>
              {name}
            </a>
          ))}
    </main>,
    root,
  );
