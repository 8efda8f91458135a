// A list of choices with a filter, for combos and files. Opens at a rectangle of the window.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Rect } from "../doc/document.ts";
import { search } from "../doc/search.ts";
import { placePopup } from "./place-popup.ts";

export interface ChoiceListProps {
  readonly rect: Rect;
  readonly label: string;
  readonly choices: readonly string[];
  readonly value: string;
  readonly choose: (choice: string) => void;
  readonly close: () => void;
  readonly upload?: (file: File) => Promise<void>;
  /** What to say when there is nothing to choose. */
  readonly empty?: string;
}

export function ChoiceList({ rect, label, choices, value, choose, close, upload, empty = "Nothing matches" }: ChoiceListProps) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(Math.max(0, choices.indexOf(value)));
  const popup = useRef<HTMLDivElement>(null);
  const found = search(query, choices, (text) => ({ text }), 500);
  useLayoutEffect(() => {
    if (popup.current) placePopup(popup.current, [rect[0], rect[1] + rect[3] + 2]);
    popup.current?.querySelector("input")?.focus({ preventScroll: true });
  }, [rect]);
  useLayoutEffect(() => {
    popup.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, query]);
  return (
    <div
      class="popup search"
      ref={popup}
      onFocusOut={(e) => {
        if (!(e.relatedTarget instanceof Node) || !e.currentTarget.contains(e.relatedTarget)) close();
      }}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === "Escape") close();
        else if (e.key === "Enter") {
          const choice = found[at];
          if (choice !== undefined) choose(choice);
        } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
          e.preventDefault();
          setAt((at + (e.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length));
        }
      }}
    >
      <input
        class="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls="choices"
        aria-label={label}
        placeholder={label}
        value={query}
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          setAt(0);
        }}
      />
      <ul class="palette-list" id="choices" role="listbox" aria-label={label}>
        {found.map((choice, i) => (
          <li
            key={choice}
            role="option"
            aria-selected={i === at}
            onPointerDown={(e) => e.preventDefault()}
            onClick={() => choose(choice)}
            onPointerMove={() => setAt(i)}
          >
            <span class="grow cut">{choice}</span>
            {choice === value && <span class="small dim">current</span>}
          </li>
        ))}
        {found.length === 0 && <li class="dim">{empty}</li>}
      </ul>
      {upload && (
        <label class="item menu-upload">
          <input
            type="file"
            accept="image/png,image/jpeg,image/webp"
            class="hidden-text"
            onChange={(e) => {
              const file = e.currentTarget.files?.[0];
              if (file) void upload(file);
            }}
          />
          <span class="button grow">Upload a picture</span>
        </label>
      )}
    </div>
  );
}
