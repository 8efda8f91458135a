// One widget as a form field: in the inspector and on the simple form.
import { useEffect, useId, useState } from "preact/hooks";
import type { Id, Place } from "../doc/document.ts";
import { CONTROLS, type Control, showValue, type WidgetState } from "../doc/widgets.ts";
import { sentence } from "../state/attempt.ts";
import { useApp } from "../state/context.ts";
import { say } from "../state/toasts.ts";
import { parseNumber } from "./parse-number.ts";

export interface WidgetFieldProps {
  readonly place: Place;
  readonly id: Id;
  readonly state: WidgetState;
  readonly promptId: string;
  readonly label?: string;
}

export function WidgetField({ place, id, state, promptId, label }: WidgetFieldProps) {
  const app = useApp();
  const key = useId();
  const { face, value, linked, control } = state;
  const set = (next: unknown): void => void app.editor.perform([{ name: "widget.set", args: { place, id, name: face.name, value: next } }]);
  const problem = app.problems.all.value.find((p) => p.node === promptId && p.input === face.name);
  const brought = linked ? app.nodeRun(promptId)?.linked?.[face.name] : undefined;
  const choices = face.options ?? app.library.fileChoices(face.file);
  const isInput = face.file?.kind === "input";
  return (
    <div class={`widget-row${face.multiline || isInput ? " tall" : ""}`} title={face.tooltip}>
      <label for={key}>
        {label ?? face.name}
        {face.file?.kind === "model" && choices?.length === 0 && <span class="small warn"> · no file in models/{face.file.folder}</span>}
      </label>
      {linked ? (
        <input id={key} class="field" disabled value={brought === undefined ? "comes over a link" : showValue(brought)} />
      ) : face.type === "BOOLEAN" ? (
        <input id={key} type="checkbox" class="switch" checked={value === true} onChange={(e) => set(e.currentTarget.checked)} />
      ) : isInput ? (
        <PictureField id={key} value={showValue(value)} choices={(choices ?? []).map(String)} set={set} />
      ) : choices ? (
        <select
          id={key}
          class="field"
          value={showValue(value)}
          onChange={(e) => set(face.options?.find((o) => String(o) === e.currentTarget.value) ?? e.currentTarget.value)}
        >
          {!choices.some((c) => String(c) === showValue(value)) && (
            <option value={showValue(value)}>{value === "" || value === undefined ? "none" : `${showValue(value)} (missing)`}</option>
          )}
          {choices.map((c) => (
            <option key={c} value={String(c)}>
              {c}
            </option>
          ))}
        </select>
      ) : (
        <TextField id={key} state={state} set={set} seal={() => app.editor.seal()} />
      )}
      {control !== undefined && !linked && (
        <div class="hint row small">
          <label class="dim" for={`${key}-c`}>
            after each run
          </label>
          <select
            id={`${key}-c`}
            class="field"
            value={control}
            onChange={(e) => {
              const next = CONTROLS.find((c): c is Control => c === e.currentTarget.value);
              if (next) app.editor.perform([{ name: "widget.control", args: { place, id, name: face.name, control: next, value } }]);
            }}
          >
            <option value="fixed">keep it</option>
            <option value="increment">one more</option>
            <option value="decrement">one less</option>
            <option value="randomize">another</option>
          </select>
        </div>
      )}
      {problem && (
        <p class="hint small bad" role="alert">
          {sentence(problem.message)}
        </p>
      )}
    </div>
  );
}

function TextField({
  id,
  state: { face, value },
  set,
  seal,
}: {
  readonly id: string;
  readonly state: WidgetState;
  readonly set: (v: unknown) => void;
  readonly seal: () => void;
}) {
  const shown = showValue(value);
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);
  const isText = face.type === "STRING";
  const keep = (): void => {
    if (text === shown) return;
    if (isText) set(text);
    else {
      const parsed = parseNumber(text, face);
      if (parsed.ok) set(parsed.value);
      else {
        say(parsed.message);
        setText(shown);
      }
    }
    seal();
  };
  if (face.multiline)
    return (
      <textarea
        id={id}
        class="field"
        rows={4}
        value={text}
        onInput={(e) => {
          setText(e.currentTarget.value);
          set(e.currentTarget.value);
        }}
        onBlur={seal}
      />
    );
  if (face.slider && face.min !== undefined && face.max !== undefined)
    return (
      <span class="row">
        <input
          type="range"
          aria-label={face.name}
          min={Number(face.min)}
          max={Number(face.max)}
          step={face.step ?? (face.type === "INT" ? 1 : (Number(face.max) - Number(face.min)) / 100)}
          value={Number(value)}
          onInput={(e) => set(Number(e.currentTarget.value))}
          onChange={seal}
        />
        <input
          id={id}
          class="field number"
          inputMode="decimal"
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
          onBlur={keep}
          onKeyDown={(e) => e.key === "Enter" && keep()}
        />
      </span>
    );
  return (
    <input
      id={id}
      class="field"
      inputMode={isText ? "text" : "decimal"}
      spellcheck={false}
      value={text}
      onInput={(e) => setText(e.currentTarget.value)}
      onBlur={keep}
      onKeyDown={(e) => {
        if (e.key === "Enter") keep();
        if (e.key === "Escape") setText(shown);
        const by = e.key === "ArrowUp" ? 1 : e.key === "ArrowDown" ? -1 : 0;
        if (isText || by === 0 || typeof value !== "number") return;
        e.preventDefault();
        const parsed = parseNumber(String(Number((value + by * (face.step ?? (face.type === "INT" ? 1 : 0.01))).toPrecision(12))), face);
        if (parsed.ok) set(parsed.value);
      }}
    />
  );
}

/** A picture to choose, to upload, or to drop here. */
function PictureField({
  id,
  value,
  choices,
  set,
}: {
  readonly id: string;
  readonly value: string;
  readonly choices: readonly string[];
  readonly set: (v: unknown) => void;
}) {
  const app = useApp();
  const [isOver, setOver] = useState(false);
  const take = async (file: File | undefined): Promise<void> => {
    const name = file && (await app.library.upload(file));
    if (name !== undefined) set(name);
  };
  return (
    <div
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
        void take(e.dataTransfer?.files[0]);
      }}
    >
      {choices.includes(value) && <img class="thumb" src={app.library.inputUrl(value, 512)} alt={value} />}
      <div class="row picture-tools">
        <select id={id} class="field grow" value={value} onChange={(e) => set(e.currentTarget.value)}>
          {!choices.includes(value) && <option value={value}>{value === "" ? "choose a picture" : `${value} (missing)`}</option>}
          {choices.map((c) => (
            <option key={c} value={c}>
              {c}
            </option>
          ))}
        </select>
        <label class="button">
          Upload
          <input
            type="file"
            class="hidden-text"
            accept="image/png,image/jpeg,image/webp"
            onChange={(e) => void take(e.currentTarget.files?.[0])}
          />
        </label>
      </div>
      <p class="small">or drop or paste one here</p>
    </div>
  );
}
