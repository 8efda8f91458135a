// A picture with the map of a gradient over it.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { type FileRef, fileUrl } from "../../../engine/api/files.ts";
import { heatColor } from "./heat-color.ts";

interface Props {
  readonly picture: FileRef;
  /** Grey, white where the gradient is strongest. */
  readonly gradient: FileRef | null;
}

/** Wider maps are drawn at this width. */
const MAX_WIDTH = 1024;

export function HeatMap({ picture, gradient }: Props) {
  const id = useId();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [blend, setBlend] = useState(70);
  const [isGone, setGone] = useState(false);
  const url = gradient && fileUrl(gradient);
  useEffect(() => {
    if (!url) return undefined;
    const image = new Image();
    let isStale = false;
    image.onload = () => {
      const target = canvas.current;
      const context = target?.getContext("2d", { willReadFrequently: true });
      if (isStale || !target || !context) return;
      const scale = Math.min(1, MAX_WIDTH / image.naturalWidth);
      target.width = Math.max(1, Math.round(image.naturalWidth * scale));
      target.height = Math.max(1, Math.round(image.naturalHeight * scale));
      context.drawImage(image, 0, 0, target.width, target.height);
      const pixels = context.getImageData(0, 0, target.width, target.height);
      for (let i = 0; i < pixels.data.length; i += 4) pixels.data.set(heatColor((pixels.data[i] ?? 0) / 255), i);
      context.putImageData(pixels, 0, 0);
    };
    image.src = url;
    return () => {
      isStale = true;
    };
  }, [url]);
  if (isGone) return <div class="picture-gone dim">The picture is no longer kept. Score it again to see it.</div>;
  return (
    <figure class="heat">
      <div class="heat-stage">
        <img src={fileUrl(picture)} alt="What was scored" onError={() => setGone(true)} />
        {url && <canvas ref={canvas} style={{ opacity: blend / 100 }} />}
      </div>
      {url && (
        <div class="row small">
          <label for={id} class="dim">
            Gradient over picture
          </label>
          <input id={id} type="range" min={0} max={100} value={blend} onInput={(e) => setBlend(Number(e.currentTarget.value))} />
          <output for={id}>{blend} %</output>
        </div>
      )}
      {url && <figcaption class="small dimmer">Bright where a change of the picture changes the reward most.</figcaption>}
    </figure>
  );
}
