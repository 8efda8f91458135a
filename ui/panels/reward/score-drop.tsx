// "Score this picture": drop one on a reward, without training.
import { useEffect, useState } from "preact/hooks";
import { type FileRef, fileUrl } from "../../../engine/api/files.ts";
import { type ScoreShown, scoreShown } from "../../../engine/api/shown.ts";
import { saveDocument } from "../../doc/tabs.ts";
import { call } from "../../net/client.ts";
import { useApp } from "../../state/context.ts";
import { Icon } from "../icon.tsx";
import { ScorePanel } from "./score-panel.tsx";

interface Props {
  /** Prompt id of a node, and its output that is a REWARD. */
  readonly node: string;
  readonly slot: number;
}

const ENDED = new Set(["finished", "failed", "cancelled", "interrupted"]);

export function ScoreDrop({ node, slot }: Props) {
  const app = useApp();
  const [picture, setPicture] = useState<FileRef>();
  const [people, setPeople] = useState<readonly FileRef[]>([]);
  const [runId, setRunId] = useState<string>();
  const [result, setResult] = useState<ScoreShown>();
  const summary = runId === undefined ? undefined : app.runs.summaries.value.get(runId);
  const state = summary?.state;
  useEffect(() => {
    if (runId === undefined || state === undefined || !ENDED.has(state)) return;
    void app.try(async () => {
      const { nodes } = await call("run", { params: { id: runId } });
      const found = nodes.flatMap((n) => scoreShown.safeParse(n.shown?.score?.[0]).data ?? []);
      setResult(found[0]);
    });
  }, [runId, state]);

  const upload = async (files: readonly File[]): Promise<readonly FileRef[]> => {
    const out: FileRef[] = [];
    for (const file of files) {
      const name = await app.library.upload(file);
      if (name !== undefined)
        out.push(app.library.inputs.value.find((f) => f.ref.filename === name)?.ref ?? { filename: name, subfolder: "", type: "input" });
    }
    return out;
  };
  const score = (of: FileRef, who: readonly FileRef[]): void =>
    void app.try(async () => {
      setResult(undefined);
      const tab = app.editor.tab.value;
      const answer = await call("score", {
        body: {
          workflow: saveDocument(tab),
          node,
          slot,
          picture: of,
          references: [...who],
          client: app.runs.client(tab.id),
          key: crypto.randomUUID(),
        },
      });
      setRunId(answer.id);
    });
  const choose = async (files: readonly File[]): Promise<void> => {
    const [ref] = await upload(files.slice(0, 1));
    if (!ref) return;
    setPicture(ref);
    score(ref, people);
  };
  const add = async (files: readonly File[]): Promise<void> => {
    const who = [...people, ...(await upload(files))].slice(0, 16);
    setPeople(who);
    if (picture) score(picture, who);
  };
  return (
    <div class="section score-drop">
      <h3>Score a picture</h3>
      <DropZone
        label={picture ? "Drop another picture" : "Drop a picture here, or choose one"}
        isMany={false}
        onFiles={(f) => void choose(f)}
      />
      <DropZone
        label={people.length === 0 ? "People it should show: drop their pictures" : "Add people"}
        isMany
        onFiles={(f) => void add(f)}
      />
      {people.length > 0 && (
        <ul class="score-people" aria-label="People it should show">
          {people.map((p, i) => (
            <li key={fileUrl(p)}>
              <img src={fileUrl(p, 64)} alt={p.filename} />
              <button
                type="button"
                class="icon-button"
                aria-label={`Remove person ${i + 1}`}
                onClick={() => {
                  const who = people.filter((other) => other !== p);
                  setPeople(who);
                  if (picture) score(picture, who);
                }}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {state !== undefined && !ENDED.has(state) && <p class="dim">{state === "queued" ? "Waits in the queue." : "Scoring."}</p>}
      {summary?.error && (
        <p class="bad" role="alert">
          {summary.error.message}
          {summary.error.hint && <span class="dim"> {summary.error.hint}</span>}
        </p>
      )}
      {result && <ScorePanel score={result} />}
    </div>
  );
}

interface ZoneProps {
  readonly label: string;
  readonly isMany: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

function DropZone({ label, isMany, onFiles }: ZoneProps) {
  const [isOver, setOver] = useState(false);
  return (
    <label
      class={`drop${isOver ? " over" : ""}`}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        e.stopPropagation();
        setOver(false);
        onFiles([...(e.dataTransfer?.files ?? [])]);
      }}
    >
      {label}
      <input
        class="hidden-text"
        type="file"
        accept="image/png,image/jpeg,image/webp"
        multiple={isMany}
        onChange={(e) => onFiles([...(e.currentTarget.files ?? [])])}
      />
    </label>
  );
}
