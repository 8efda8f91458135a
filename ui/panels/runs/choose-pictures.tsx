// Which of two pictures looks better, pair by pair and without saying which run drew which: what a realism scorer learns from.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type FileRef, fileUrl } from "../../../engine/api/files.ts";
import type { RunDetail } from "../../../engine/api/runs.ts";
import { call } from "../../net/client.ts";
import { useApp } from "../../state/context.ts";
import { fileName, type PicturePair, picturePairs } from "./picture-pairs.ts";

type Choice = "left" | "right" | "tie";
interface Chosen {
  readonly pair: PicturePair;
  readonly choice: Choice;
}

const KEYS: Readonly<Record<string, Choice>> = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "tie" };

export function ChoosePictures({ before, after }: { readonly before: RunDetail; readonly after: RunDetail }) {
  const app = useApp();
  const pairs = useMemo(() => picturePairs(before, after), [before, after]);
  const [open, setOpen] = useState<readonly PicturePair[]>();
  const [isLost, setLost] = useState(false);
  const [manifest, setManifest] = useState("");
  const [chosen, setChosen] = useState<readonly Chosen[]>([]);
  const box = useRef<HTMLDivElement>(null);
  // One answer at a time: a second key before the first is on disk would be for a picture that nobody saw.
  const isBusy = useRef(false);
  useEffect(() => {
    let isGone = false;
    setLost(false);
    setOpen(undefined);
    const asked = app.try(async () => {
      const known = await call("preferences", {});
      const done = new Set(known.comparisons.map(({ image_win, image_lose }) => keyOf(image_win, image_lose)));
      if (isGone) return;
      setManifest(known.manifest);
      setChosen([]);
      setOpen(pairs.filter(({ left, right }) => !done.has(keyOf(fileName(left), fileName(right)))));
    });
    void asked.then((isRead) => !isGone && setLost(!isRead));
    return () => {
      isGone = true;
    };
  }, [pairs]);
  // A picture or button that was pressed may be gone with its pair, and with it the focus, and the keys.
  useEffect(() => box.current?.focus(), [open, chosen]);
  if (!open)
    return (
      <p class="dim" role="status">
        {isLost ? "What was chosen before can't be read, so nothing is asked." : "Looking for pairs."}
      </p>
    );
  const pair = open[chosen.length];
  const inTurn = (work: () => Promise<void>): void => {
    if (isBusy.current) return;
    isBusy.current = true;
    void app.try(work).finally(() => {
      isBusy.current = false;
    });
  };
  const choose = (choice: Choice): void =>
    inTurn(async () => {
      if (!pair) return;
      const [left, right] = [fileName(pair.left), fileName(pair.right)];
      const [image_win, image_lose] = choice === "left" ? [left, right] : [right, left];
      if (choice !== "tie") await call("prefer", { body: { image_win, image_lose, source: pair.source } });
      setChosen([...chosen, { pair, choice }]);
    });
  const undo = (): void =>
    inTurn(async () => {
      const last = chosen.at(-1);
      if (!last) return;
      if (last.choice !== "tie")
        await call("unprefer", { query: { image_win: fileName(last.pair.left), image_lose: fileName(last.pair.right) } });
      setChosen(chosen.slice(0, -1));
    });
  return (
    <div
      class="choose"
      ref={box}
      tabIndex={-1}
      role="group"
      aria-label="Choose the better pictures"
      onKeyDown={(e) => {
        const choice = KEYS[e.key];
        if (choice) choose(choice);
        else if (e.key === "Backspace" || (e.key === "z" && (e.ctrlKey || e.metaKey))) undo();
        else return;
        e.preventDefault();
      }}
    >
      {pair ? (
        <>
          <p class="dim" role="status">
            {chosen.length + 1} of {open.length}: which one looks more real?
          </p>
          <div class="choose-pictures">
            <Picture key={fileUrl(pair.left)} file={pair.left} side="left" choose={() => choose("left")} />
            <Picture key={fileUrl(pair.right)} file={pair.right} side="right" choose={() => choose("right")} />
          </div>
        </>
      ) : (
        <p role="status">{conclusion(pairs, open, chosen, manifest)}</p>
      )}
      <div class="row">
        {pair && (
          <button type="button" class="button" onClick={() => choose("tie")}>
            Neither <kbd>↓</kbd>
          </button>
        )}
        <button type="button" class="button" disabled={chosen.length === 0} onClick={undo}>
          Take back <kbd>Backspace</kbd>
        </button>
      </div>
    </div>
  );
}

function Picture({ file, side, choose }: { readonly file: FileRef; readonly side: "left" | "right"; readonly choose: () => void }) {
  // Texture is what is judged: a small picture is enlarged pixel by pixel.
  const [isSmall, setSmall] = useState(false);
  return (
    <button type="button" class="choose-picture" aria-label={`The ${side} one`} onClick={choose}>
      <img
        src={fileUrl(file)}
        alt=""
        draggable={false}
        class={isSmall ? "pixels" : ""}
        onLoad={(e) => setSmall(e.currentTarget.naturalWidth * 2 <= e.currentTarget.clientWidth)}
      />
      <kbd>{side === "left" ? "←" : "→"}</kbd>
    </button>
  );
}

function conclusion(pairs: readonly PicturePair[], open: readonly PicturePair[], chosen: readonly Chosen[], manifest: string): string {
  if (pairs.length === 0)
    return "These runs have no pair of saved pictures: previews are not kept, and runs of the command line are compared by graph prefer.";
  const written = pairs.length - open.length + chosen.filter((c) => c.choice !== "tie").length;
  const seen = pairs.length === 1 ? "The only pair has" : `All ${pairs.length} pairs have`;
  return `${seen} been looked at; ${written === 1 ? "1 comparison is" : `${written} comparisons are`} kept. The node PreferenceDataset reads ${manifest}.`;
}

function keyOf(a: string, b: string): string {
  return JSON.stringify([a, b].sort());
}
