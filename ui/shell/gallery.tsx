// Starting points, each with a picture; what is missing is said before it is opened.
import { Icon } from "../panels/icon.tsx";
import { sentence } from "../state/attempt.ts";
import { useApp } from "../state/context.ts";
import { Dialog } from "./dialog.tsx";

export function Gallery({ close }: { readonly close: () => void }) {
  const app = useApp();
  const points = app.library.gallery.value;
  return (
    <Dialog title="Starting points" close={close} size="wide">
      <div class="cards">
        {points.map((point, i) => (
          <button
            key={point.name}
            type="button"
            class="card"
            autofocus={i === 0}
            onClick={() => void app.files.openStartingPoint(point.name)}
          >
            {point.picture === null ? <span class="thumb" /> : <img class="thumb" src={point.picture} alt="" loading="lazy" />}
            <span class="text">
              <strong>{point.title}</strong>
              <span class="dim">{point.summary}</span>
              {point.missing.length > 0 && (
                <span class="small warn">
                  <Icon name="warn" /> Missing: {[...new Set(point.missing.map((m) => m.name))].join(", ")}.{" "}
                  {sentence(point.missing[0]?.hint ?? "")}
                </span>
              )}
            </span>
          </button>
        ))}
      </div>
      {points.length === 0 && <p class="dim">The server has no starting points, or can't be reached.</p>}
    </Dialog>
  );
}
