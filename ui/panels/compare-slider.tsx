// Two pictures of the same thing under one slider.
import { useState } from "preact/hooks";
import { type FileRef, fileUrl } from "../../engine/api/files.ts";
import { Icon } from "./icon.tsx";

export interface Side {
  readonly file: FileRef;
  readonly label: string;
}

interface Props {
  readonly before: Side;
  readonly after: Side;
  readonly onClose?: () => void;
}

/** Left of the line is `before`. By pointer, or by the arrows on the slider below. */
export function CompareSlider({ before, after, onClose }: Props) {
  const [at, setAt] = useState(50);
  const [failed, setFailed] = useState<readonly string[]>([]);
  const follow = (e: PointerEvent): void => {
    const { left, width } = (e.currentTarget as HTMLElement).getBoundingClientRect();
    setAt(Math.max(0, Math.min(100, (100 * (e.clientX - left)) / Math.max(1, width))));
  };
  const picture = ({ file, label }: Side) => {
    const url = fileUrl(file);
    return failed.includes(url) ? (
      <div class="picture-gone dim">{label} is no longer kept. Run again to make it anew.</div>
    ) : (
      <img src={url} alt={label} draggable={false} onError={() => setFailed([...failed, url])} />
    );
  };
  return (
    <div class="compare">
      <div class="compare-stage" onPointerMove={follow} onPointerDown={follow}>
        {picture(after)}
        <div class="compare-before" style={{ clipPath: `inset(0 ${100 - at}% 0 0)` }}>
          {picture(before)}
        </div>
        <div class="compare-line" style={{ left: `${at}%` }} />
        <span class="compare-tag left">{before.label}</span>
        <span class="compare-tag right">{after.label}</span>
      </div>
      <div class="row">
        <input
          type="range"
          min={0}
          max={100}
          value={at}
          aria-label={`${before.label} to the left, ${after.label} to the right`}
          onInput={(e) => setAt(Number(e.currentTarget.value))}
        />
        {onClose && (
          <button type="button" class="icon-button" aria-label="Close the comparison" onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </div>
    </div>
  );
}
