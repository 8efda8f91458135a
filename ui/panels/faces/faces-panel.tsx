// Faces that were found: each picture with their boxes, numbered as they come out.
import { fileUrl } from "../../../engine/api/files.ts";
import type { FacesShown } from "../../../engine/api/shown.ts";

export function FacesPanel({ shown: { pictures, sizes, faces } }: { readonly shown: FacesShown }) {
  return (
    <section class="faces" aria-label="Faces">
      {pictures.map((file, i) => {
        const size = sizes[i];
        const own = faces.filter((f) => f.image === i);
        if (!size) return null;
        // Lines and numbers keep their size on the page, however large the picture is.
        const unit = size.width / 320;
        return (
          <figure key={fileUrl(file)}>
            <svg viewBox={`0 0 ${size.width} ${size.height}`} role="img" aria-label={`${own.length} faces in picture ${i + 1}`}>
              <image href={fileUrl(file)} width={size.width} height={size.height} />
              {own.map(({ box: [x0, y0, x1, y1] }, k) => (
                <g key={k} class="face-box">
                  <rect x={x0} y={y0} width={x1 - x0} height={y1 - y0} stroke-width={3 * unit} class="rim" />
                  <rect x={x0} y={y0} width={x1 - x0} height={y1 - y0} stroke-width={1.5 * unit} />
                  <text x={x0 + 4 * unit} y={y0 + 13 * unit} font-size={11 * unit}>
                    {k + 1}
                  </text>
                </g>
              ))}
            </svg>
            <figcaption class="small dim">
              {own.length === 0
                ? "No face found. Lower min_score, or choose another picture."
                : own.map((f, k) => `${k + 1}: ${Math.round(100 * f.score)} %`).join(" · ")}
            </figcaption>
          </figure>
        );
      })}
    </section>
  );
}
