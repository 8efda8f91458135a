// What a reward gives for a picture: the sum, its parts, and where the gradient is.
import type { ScoreShown } from "../../../engine/api/shown.ts";
import { Icon } from "../icon.tsx";
import { short } from "../numbers.ts";
import { HeatMap } from "./heat-map.tsx";
import { partRows } from "./score-parts.ts";

export function ScorePanel({ score }: { readonly score: ScoreShown }) {
  const { value, parts, picture, gradient, skip } = score;
  const rows = partRows(parts);
  return (
    <section class="score" aria-label="Score">
      <HeatMap picture={picture} gradient={gradient} />
      {skip !== undefined ? (
        <p class="row">
          <Icon name="warn" /> <span>The reward has nothing to say about this picture: {skip}.</span>
        </p>
      ) : (
        <>
          <p class="score-value">
            <span class="dim">Reward</span> <strong>{short(value)}</strong>
          </p>
          {rows.length > 0 && (
            <table class="score-parts">
              <tbody>
                {rows.map((r) => (
                  <tr key={r.name}>
                    <th scope="row">{r.name}</th>
                    <td class="bar">
                      <svg width="100%" height="8" aria-hidden="true">
                        <rect width="100%" height="8" rx="4" class="ground" />
                        <rect
                          x={`${100 * r.from}%`}
                          width={`${100 * r.length}%`}
                          height="8"
                          rx="4"
                          class={r.value < 0 ? "negative" : "positive"}
                        />
                      </svg>
                    </td>
                    <td class="number">{short(r.value)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {gradient === null && <p class="small dim">There is no map: this reward has no gradient in the picture.</p>}
        </>
      )}
    </section>
  );
}
