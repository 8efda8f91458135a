// Who is who: references above, the picture below, lines in the colour of their cosine, the whole matrix, and all of it in words.
import { useMemo, useState } from "preact/hooks";
import { fileUrl } from "../../../engine/api/files.ts";
import type { MatchShown } from "../../../engine/api/shown.ts";
import { Icon } from "../icon.tsx";
import { twoDigits } from "../numbers.ts";
import { useWidth } from "../use-width.ts";
import { cosineColor } from "./cosine-color.ts";
import { type MatchAt, matchAt } from "./match-at.ts";
import { lineBetween, matchLayout, type Rect } from "./match-layout.ts";
import { matchWords } from "./match-words.ts";
import { type Lit, MatrixTable } from "./matrix-table.tsx";
import { ThresholdScale } from "./threshold-scale.tsx";

export interface MatchPanelProps {
  readonly shown: MatchShown;
  /** CSS pixels for the picture; a taller one is made smaller. */
  readonly maxHeight?: number;
  /** Sets the node's threshold; without it the threshold is only tried. */
  readonly onUse?: (threshold: number) => void;
}

const NOTHING: Lit = { reference: undefined, face: undefined };

export function MatchPanel({ shown, maxHeight = 560, onUse }: MatchPanelProps) {
  const [tried, setTried] = useState<{ readonly of: MatchShown; readonly threshold: number | null }>();
  const [lit, setLit] = useState<Lit>(NOTHING);
  // What was tried on another result is not carried over.
  const threshold = tried?.of === shown ? tried.threshold : shown.threshold;
  const at = useMemo(() => matchAt(shown, threshold), [shown, threshold]);
  const words = matchWords(shown, at);
  return (
    <section class="match" aria-label="Who is who">
      <ul class="match-words" aria-live="polite">
        {words.map(({ level, text }) => (
          <li key={text} class={level}>
            <Icon name={level === "good" ? "check" : level === "warn" ? "warn" : "list"} />
            <span>{text}</span>
          </li>
        ))}
      </ul>
      <MatchPicture shown={shown} at={at} lit={lit} onLit={setLit} maxHeight={maxHeight} />
      {shown.cosine.length > 0 && shown.generated.faces.length > 0 && (
        <>
          <ThresholdScale shown={shown} at={at} onChange={(t) => setTried({ of: shown, threshold: t })} onUse={onUse} />
          <MatrixTable shown={shown} at={at} lit={lit} onLit={setLit} />
        </>
      )}
    </section>
  );
}

interface PictureProps {
  readonly shown: MatchShown;
  readonly at: MatchAt;
  readonly lit: Lit;
  readonly onLit: (lit: Lit) => void;
  readonly maxHeight: number;
}

function MatchPicture({ shown, at, lit, onLit, maxHeight }: PictureProps) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const layout = useMemo(() => matchLayout(shown, Math.max(1, width), maxHeight), [shown, width, maxHeight]);
  const { references, generated } = shown;
  const isLit = (reference: number | undefined, face: number | undefined): boolean =>
    (lit.reference !== undefined && lit.reference === reference) || (lit.face !== undefined && lit.face === face);
  const anyLit = lit.reference !== undefined || lit.face !== undefined;
  const dim = (reference: number | undefined, face: number | undefined): string => (anyLit && !isLit(reference, face) ? " dim-out" : "");
  return (
    <div ref={ref} class="match-picture">
      {width > 0 && (
        <svg
          width={layout.width}
          height={layout.height}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          role="img"
          aria-label={describe(at)}
        >
          {layout.pictures.map((r, i) => {
            const file = generated.pictures[i];
            return (
              <g key={`picture ${i}`}>
                <rect {...r} class="match-ground" />
                {file && <image {...r} href={fileUrl(file)} preserveAspectRatio="none" />}
              </g>
            );
          })}
          {at.pairs.map((p) => {
            const [tile, face] = [layout.tiles[p.reference], layout.faces[p.generated]];
            if (!tile || !face) return null;
            const d = lineBetween(tile, face);
            return (
              <g key={`line ${p.reference}`} class={`match-line${p.accepted ? "" : " refused"}${dim(p.reference, p.generated)}`}>
                <path d={d} class="rim" />
                <path d={d} stroke={cosineColor(p.cosine)} />
              </g>
            );
          })}
          {layout.tiles.map((r, k) => {
            const pair = at.pairs.find((p) => p.reference === k);
            const face = references.faces[k];
            const size = references.sizes[face?.image ?? 0];
            const file = references.pictures[face?.image ?? 0];
            const crop = layout.crops[k];
            return (
              <g
                key={`reference ${k}`}
                class={`match-face${pair?.accepted ? "" : " refused"}${dim(k, undefined)}`}
                onPointerEnter={() => onLit({ reference: k, face: undefined })}
                onPointerLeave={() => onLit(NOTHING)}
              >
                <rect {...r} class="match-ground" />
                {crop && file && size && (
                  <svg {...r} viewBox={`${crop.x} ${crop.y} ${crop.width} ${crop.height}`} aria-hidden="true">
                    <image href={fileUrl(file)} width={size.width} height={size.height} preserveAspectRatio="none" />
                  </svg>
                )}
                <rect {...r} class="frame" stroke={pair ? cosineColor(pair.cosine) : "var(--t3)"} />
                <Chip x={r.x} y={r.y} text={String(k + 1)} />
                <Chip x={r.x + r.width} y={r.y + r.height - 18} text={pair ? twoDigits(pair.value) : "–"} fromRight />
              </g>
            );
          })}
          {layout.faces.map((r, j) => {
            const pair = at.pairs.find((p) => p.generated === j);
            return (
              <g
                key={`face ${j}`}
                class={`match-face${pair?.accepted ? "" : " refused"}${dim(pair?.reference, j)}`}
                onPointerEnter={() => onLit({ reference: undefined, face: j })}
                onPointerLeave={() => onLit(NOTHING)}
              >
                <rect {...r} class="frame rim" />
                <rect {...r} class="frame" stroke={pair ? cosineColor(pair.cosine) : "#b6bcc4"} />
                <Chip {...chipAt(r, layout.pictures[generated.faces[j]?.image ?? 0])} text={pair ? String(pair.reference + 1) : "?"} />
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}

/** Above the box, where it covers no face; inside it when there is no room. */
function chipAt(face: Rect, picture: Rect | undefined): { readonly x: number; readonly y: number } {
  return { x: face.x - 1, y: face.y - 19 < (picture?.y ?? 0) ? face.y : face.y - 19 };
}

interface ChipProps {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** x is its right edge. */
  readonly fromRight?: boolean;
}

function Chip({ x, y, text, fromRight = false }: ChipProps) {
  const width = 8 + 7 * text.length;
  const left = fromRight ? x - width : x;
  return (
    <g class="match-chip">
      <rect x={left} y={y} width={width} height={18} rx={4} />
      <text x={left + width / 2} y={y + 13}>
        {text}
      </text>
    </g>
  );
}

function describe({ pairs }: MatchAt): string {
  if (pairs.length === 0) return "The picture; no reference is matched to a face.";
  return pairs
    .map((p) => `Reference ${p.reference + 1}: face ${p.generated + 1}, ${twoDigits(p.value)}${p.accepted ? "" : ", not accepted"}`)
    .join(". ");
}
