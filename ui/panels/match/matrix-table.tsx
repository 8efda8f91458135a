import { useId, useRef } from "preact/hooks";
import type { MatchShown } from "../../../engine/api/shown.ts";
import { twoDigits } from "../numbers.ts";
import { cosineColor } from "./cosine-color.ts";
import type { MatchAt } from "./match-at.ts";

/** What the pointer or the keyboard is on: it and its row or column stand out everywhere. */
export interface Lit {
  readonly reference: number | undefined;
  readonly face: number | undefined;
}

interface Props {
  readonly shown: MatchShown;
  readonly at: MatchAt;
  readonly lit: Lit;
  readonly onLit: (lit: Lit) => void;
}

const STEP: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** The whole matrix with its numbers. One cell is in the tab order, arrows go on from there. */
export function MatrixTable({ shown, at, lit, onLit }: Props) {
  const id = useId();
  const table = useRef<HTMLTableElement>(null);
  const rows = shown.cosine.length;
  const columns = shown.generated.faces.length;
  const values = shown.distances ?? shown.cosine;
  const several = shown.generated.pictures.length > 1;
  const key = (e: KeyboardEvent, i: number, j: number): void => {
    const step = STEP[e.key];
    const target =
      e.key === "Home"
        ? [i, 0]
        : e.key === "End"
          ? [i, columns - 1]
          : step
            ? [clamp(i + step[0], rows), clamp(j + step[1], columns)]
            : undefined;
    if (!target) return;
    e.preventDefault();
    e.stopPropagation();
    table.current?.querySelector<HTMLElement>(`[data-cell="${target[0]} ${target[1]}"]`)?.focus();
  };
  const current = [lit.reference ?? 0, lit.face ?? 0] as const;
  return (
    <div class="matrix-scroll">
      <table class="matrix" aria-describedby={id} ref={table} onPointerLeave={() => onLit({ reference: undefined, face: undefined })}>
        <thead>
          <tr>
            <td />
            {shown.generated.faces.map((face, j) => (
              <th key={j} scope="col" class={lit.face === j ? "lit" : undefined}>
                Face {j + 1}
                {several && <small>picture {face.image + 1}</small>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.cosine.map((row, i) => (
            <tr key={i}>
              <th scope="row" class={lit.reference === i ? "lit" : undefined}>
                Reference {i + 1}
              </th>
              {row.map((cosine, j) => {
                const pair = at.pairs.find((p) => p.reference === i && p.generated === j);
                const state = pair ? (pair.accepted ? "matched" : "refused") : "";
                const isLit = lit.reference === i || lit.face === j;
                return (
                  <td key={j} class={`${state}${isLit ? " lit" : ""}`} style={{ "--cell": cosineColor(cosine) }}>
                    <button
                      type="button"
                      data-cell={`${i} ${j}`}
                      tabIndex={current[0] === i && current[1] === j ? 0 : -1}
                      title={shown.distances ? `cosine ${cosine.toFixed(3)}` : undefined}
                      onPointerEnter={() => onLit({ reference: i, face: j })}
                      onFocus={() => onLit({ reference: i, face: j })}
                      onKeyDown={(e) => key(e, i, j)}
                    >
                      {twoDigits(values[i]?.[j] ?? Number.NaN)}
                      {state && <span class="hidden-text">{state === "matched" ? " matched" : " assigned, not accepted"}</span>}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p id={id} class="dimmer small">
        {shown.distances ? "Distances between references and faces; the colour is the cosine." : "Cosine between references and faces."}
      </p>
    </div>
  );
}

function clamp(x: number, count: number): number {
  return Math.max(0, Math.min(count - 1, x));
}
