// Edits a widget or a title where it stands on the canvas.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Id, nodeById, type Rect } from "../doc/document.ts";
import { titleOf, type WidgetBox } from "../doc/node-layout.ts";
import { shownWidgets, showValue } from "../doc/widgets.ts";
import { ChoiceList } from "../panels/choice-list.tsx";
import { parseNumber } from "../panels/parse-number.ts";
import { useApp } from "../state/context.ts";
import { say } from "../state/toasts.ts";
import { openers } from "./stage-ref.ts";

export type InPlace =
  | { readonly kind: "widget"; readonly id: Id; readonly box: WidgetBox; readonly rect: Rect }
  | { readonly kind: "title"; readonly target: { readonly node: Id } | { readonly group: number }; readonly rect: Rect };

export function InPlaceEditor({ edit, close }: { readonly edit: InPlace; readonly close: () => void }) {
  const app = useApp();
  const done = (): void => {
    close();
    app.editor.seal();
    document.querySelector<HTMLElement>("canvas.board")?.focus({ preventScroll: true });
  };
  const place = app.editor.place.value;
  if (edit.kind === "title") {
    const { target } = edit;
    const node = "node" in target ? nodeById(app.editor.graph.value, target.node) : undefined;
    const before =
      "node" in target ? (node ? titleOf(app.editor.doc.value, node) : "") : (app.editor.graph.value.groups[target.group]?.title ?? "");
    return (
      <Line
        rect={edit.rect}
        label="Title"
        value={before}
        keep={(title) => {
          if ("group" in target) app.editor.perform([{ name: "group.edit", args: { place, index: target.group, change: { title } } }]);
          else if (title !== before)
            app.editor.perform([{ name: "node.rename", args: { place, id: target.node, title: title === node?.type ? "" : title } }]);
        }}
        close={done}
      />
    );
  }
  const { face, value } = edit.box.state;
  const set = (next: unknown): void =>
    void app.editor.perform([{ name: "widget.set", args: { place, id: edit.id, name: face.name, value: next } }]);
  const next = (): void => {
    const node = nodeById(app.editor.graph.value, edit.id);
    const names = node ? shownWidgets(app.editor.doc.value, node, app.editor.faces).flatMap((w) => (w.linked ? [] : [w.face.name])) : [];
    const following = names[names.indexOf(face.name) + 1];
    done();
    if (following !== undefined) requestAnimationFrame(() => openers.widget(edit.id, following));
  };
  const choices = face.options?.map(String) ?? app.library.fileChoices(face.file);
  if (choices) {
    return (
      <ChoiceList
        rect={edit.rect}
        label={face.name}
        choices={choices}
        value={showValue(value)}
        {...(face.file?.kind === "input" && {
          upload: async (file: File) => {
            const name = await app.library.upload(file);
            if (name !== undefined) set(name);
            done();
          },
        })}
        {...(face.file?.kind === "model" &&
          choices.length === 0 && { empty: `No file in models/${face.file.folder}. Put one there, then refresh with R.` })}
        choose={(choice) => {
          set(face.options?.find((o) => String(o) === choice) ?? choice);
          done();
        }}
        close={done}
      />
    );
  }
  const keep = (text: string): void => {
    if (face.type === "STRING") {
      if (text !== value) set(text);
      return;
    }
    const parsed = parseNumber(text, face);
    if (parsed.ok) set(parsed.value);
    else say(parsed.message);
  };
  return (
    <Line
      rect={edit.rect}
      label={face.name}
      value={showValue(value)}
      isTall={face.multiline}
      keep={keep}
      close={done}
      next={next}
      isNumber={face.type !== "STRING"}
    />
  );
}

interface LineProps {
  readonly rect: Rect;
  readonly label: string;
  readonly value: string;
  readonly isTall?: boolean;
  readonly isNumber?: boolean;
  readonly keep: (text: string) => void;
  readonly close: () => void;
  readonly next?: () => void;
}

/** Enter keeps (Ctrl+Enter in a text of several lines), Esc forgets, Tab goes to the next widget. */
function Line({ rect, label, value, isTall = false, isNumber = false, keep, close, next }: LineProps) {
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const ended = useRef(false);
  useLayoutEffect(() => {
    const el = field.current;
    if (!el) return;
    const width = Math.max(rect[2], 160);
    const height = isTall ? Math.max(rect[3], 96) : Math.max(rect[3], 24);
    Object.assign(el.style, {
      left: `${Math.max(4, Math.min(rect[0], innerWidth - width - 8))}px`,
      top: `${Math.max(4, Math.min(rect[1], innerHeight - height - 8))}px`,
      width: `${width}px`,
      height: `${height}px`,
    });
    el.focus({ preventScroll: true });
    el.select();
  }, [rect, isTall]);
  const end = (isKept: boolean, after?: () => void): void => {
    if (ended.current) return;
    ended.current = true;
    if (isKept && text !== value) keep(text);
    (after ?? close)();
  };
  const common = {
    class: "widget-editor",
    "aria-label": label,
    value: text,
    spellcheck: false,
    onInput: (e: { readonly currentTarget: { readonly value: string } }) => setText(e.currentTarget.value),
    onBlur: () => end(true),
    onKeyDown: (e: KeyboardEvent) => {
      e.stopPropagation();
      if (e.key === "Escape") end(false);
      else if (e.key === "Enter" && (!isTall || e.ctrlKey || e.metaKey)) {
        e.preventDefault();
        end(true);
      } else if (e.key === "Tab" && next) {
        e.preventDefault();
        end(true, next);
      }
    },
  };
  return isTall ? <textarea {...common} ref={field} /> : <input {...common} ref={field} inputMode={isNumber ? "decimal" : "text"} />;
}
