import { useId } from "preact/hooks";
import type { MatchShown } from "../../../engine/api/shown.ts";
import { twoDigits } from "../numbers.ts";
import { cosineColor } from "./cosine-color.ts";
import { type MatchAt, thresholdRange } from "./match-at.ts";

interface Props {
  readonly shown: MatchShown;
  readonly at: MatchAt;
  readonly onChange: (threshold: number | null) => void;
  readonly onUse: ((threshold: number) => void) | undefined;
}

/** The scale of the colours, every cell as a tick on it, and the threshold as a mark one can drag. */
export function ThresholdScale({ shown, at, onChange, onUse }: Props) {
  const id = useId();
  const { min, max, step } = thresholdRange(shown);
  const value = at.threshold ?? (shown.distances ? max : min);
  const percent = (x: number): number => (100 * (Math.min(max, Math.max(min, x)) - min)) / (max - min);
  const byDistance = shown.distances !== null;
  const isChanged = at.threshold !== shown.threshold;
  const cells = byDistance ? (shown.distances ?? []) : shown.cosine;
  // Distances have no colour of their own: the track stays plain, and the ticks carry the cosine's.
  const track = byDistance
    ? "var(--s3)"
    : `linear-gradient(to right, ${Array.from({ length: 13 }, (_, i) => min + ((max - min) * i) / 12)
        .map((x) => `${cosineColor(x)} ${percent(x).toFixed(1)}%`)
        .join(", ")})`;
  return (
    <div class="threshold">
      <div class="row">
        <label for={id} class="grow">
          {byDistance ? "Same person up to distance" : "Same person from cosine"}
        </label>
        <output for={id}>{at.threshold === null ? "any" : twoDigits(value)}</output>
      </div>
      <div class="threshold-scale" style={{ "--track": track }}>
        <svg class="threshold-ticks" width="100%" height="10" aria-hidden="true">
          {cells.flatMap((row, i) =>
            row.map((x, j) => {
              const pair = at.pairs.find((p) => p.reference === i && p.generated === j);
              return (
                <circle
                  key={`${i} ${j}`}
                  cx={`${percent(x)}%`}
                  cy="5"
                  r={pair ? 4 : 2}
                  class={pair ? "pair" : undefined}
                  fill={pair ? cosineColor(shown.cosine[i]?.[j] ?? 0) : "var(--t3)"}
                />
              );
            }),
          )}
        </svg>
        <input
          id={id}
          type="range"
          min={min}
          max={max}
          step={step}
          value={value}
          aria-valuetext={`${twoDigits(value)}: ${at.pairs.filter((p) => p.accepted).length} of ${at.pairs.length} pairs accepted`}
          onInput={(e) => onChange(Number(e.currentTarget.value))}
        />
        <div class="threshold-ends dimmer small" aria-hidden="true">
          <span>{twoDigits(min)}</span>
          <span>{byDistance ? "nearer ← distance → further" : "cosine"}</span>
          <span>{twoDigits(max)}</span>
        </div>
      </div>
      {isChanged && (
        <div class="row small">
          <span class="dim grow">
            The node uses {shown.threshold === null ? "no threshold" : twoDigits(shown.threshold)}. This changes nothing until you use it.
          </span>
          <button type="button" class="button" onClick={() => onChange(shown.threshold)}>
            Back
          </button>
          {onUse && at.threshold !== null && (
            <button type="button" class="button primary" onClick={() => onUse(value)}>
              Use {twoDigits(value)}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
