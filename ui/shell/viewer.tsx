// A picture in full: beside another under a slider, what it is, and the workflow that made it.
import { useEffect, useRef, useState } from "preact/hooks";
import { type FileRef, fileUrl } from "../../engine/api/files.ts";
import { call } from "../net/client.ts";
import { Icon } from "../panels/icon.tsx";
import { useApp } from "../state/context.ts";
import { say } from "../state/toasts.ts";

export interface ViewerProps {
  readonly pictures: readonly FileRef[];
  readonly index: number;
  readonly before?: FileRef;
  readonly close: () => void;
}

export function Viewer({ pictures, index, before, close }: ViewerProps) {
  const app = useApp();
  const [at, setAt] = useState(index);
  const [other, setOther] = useState<FileRef | undefined>(before);
  const [size, setSize] = useState<readonly [number, number]>([0, 0]);
  const picture = pictures[at] ?? pictures[0];
  const step = (by: number): void => setAt((at + by + pictures.length) % pictures.length);
  if (!picture) return null;
  const name = picture.subfolder === "" ? picture.filename : `${picture.subfolder}/${picture.filename}`;
  const openWorkflow = (): void =>
    void app.try(async () => {
      const { document } = await call("fileWorkflow", { params: { root: picture.type, name } });
      app.editor.open(document, picture.filename.replace(/\.\w+$/, ""));
      close();
    });
  const useAsInput = (): void =>
    void app.try(async () => {
      const bytes = await call("file", { params: { root: picture.type, name }, query: {} });
      const image = await app.library.upload(new File([new Uint8Array(bytes)], picture.filename, { type: "image/png" }));
      if (image === undefined) return;
      app.editor.add({ name: "node.add", args: { place: app.editor.place.value, type: "LoadImage", pos: [0, 0], values: { image } } });
      close();
      say(`Added ${image} to the graph`);
    });
  return (
    <div
      class="dialog full"
      role="dialog"
      aria-modal="true"
      aria-label={picture.filename}
      onKeyDown={(e) => {
        if (e.target instanceof HTMLInputElement) return;
        if (e.key === "ArrowRight") step(1);
        if (e.key === "ArrowLeft") step(-1);
      }}
    >
      <div class="viewer">
        <div class="dialog-head">
          <h2 class="cut">{picture.filename}</h2>
          {pictures.length > 1 && (
            <span class="small dim">
              {at + 1} of {pictures.length}
            </span>
          )}
          <button type="button" class="icon-button" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        <Compare after={picture} before={other} onSize={setSize} />
        <div class="viewer-meta">
          <dl class="pairs">
            <dt>Size</dt>
            <dd>
              {size[0]} × {size[1]}
            </dd>
            <dt>Folder</dt>
            <dd>
              {picture.type}
              {picture.subfolder !== "" && `/${picture.subfolder}`}
            </dd>
          </dl>
          <button type="button" class="button" onClick={openWorkflow}>
            <Icon name="open" /> Open the workflow that made it
          </button>
          <button type="button" class="button" onClick={useAsInput}>
            <Icon name="image" /> Use as an input
          </button>
          <a class="button" href={`${fileUrl(picture)}?download=1`} download={picture.filename}>
            <Icon name="down" /> Download
          </a>
          <a class="button" href={fileUrl(picture)} target="_blank" rel="noreferrer">
            <Icon name="open" /> Open in a tab of its own
          </a>
          <button
            type="button"
            class="button"
            onClick={() =>
              void app.try(async () => {
                const blob = await (await fetch(fileUrl(picture))).blob();
                await navigator.clipboard.write([new ClipboardItem({ [blob.type]: blob })]);
                say("Copied the picture");
              })
            }
          >
            <Icon name="copy" /> Copy
          </button>
          <h3>Compare with</h3>
          <Choices chosen={other} current={picture} choose={setOther} more={pictures} />
        </div>
        {pictures.length > 1 && (
          <div class="viewer-strip">
            {pictures.map((p, i) => (
              <button key={fileUrl(p)} type="button" aria-label={p.filename} aria-current={i === at} onClick={() => setAt(i)}>
                <img src={fileUrl(p, 128)} alt="" loading="lazy" />
              </button>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}

/** Pictures of this run, of earlier runs, and of the input folder. */
function Choices({
  chosen,
  current,
  choose,
  more,
}: {
  readonly chosen: FileRef | undefined;
  readonly current: FileRef;
  readonly choose: (f: FileRef | undefined) => void;
  readonly more: readonly FileRef[];
}) {
  const app = useApp();
  const earlier = app.runs.history.value.flatMap((r) => r.pictures);
  const inputs = app.library.inputs.value.map((f) => f.ref);
  const seen = new Set([fileUrl(current)]);
  const all = [...more, ...earlier, ...inputs].filter((f) => {
    const url = fileUrl(f);
    if (seen.has(url)) return false;
    seen.add(url);
    return true;
  });
  return (
    <>
      <div class="pictures-grid">
        {all.slice(0, 24).map((f) => (
          <button
            key={fileUrl(f)}
            type="button"
            aria-label={`Compare with ${f.filename}`}
            aria-pressed={chosen === f}
            onClick={() => choose(chosen === f ? undefined : f)}
          >
            <img src={fileUrl(f, 128)} alt="" loading="lazy" />
          </button>
        ))}
      </div>
      {all.length === 0 && <p class="small dim">There is no other picture yet.</p>}
      {chosen && (
        <button type="button" class="button" onClick={() => choose(undefined)}>
          Stop comparing
        </button>
      )}
    </>
  );
}

/** Two pictures in the same place; left of the slider is the one before. */
export function Compare({
  after,
  before,
  onSize,
}: {
  readonly after: FileRef;
  readonly before: FileRef | undefined;
  readonly onSize?: (size: readonly [number, number]) => void;
}) {
  const [split, setSplit] = useState(0.5);
  const [isSmall, setSmall] = useState(false);
  const left = useRef<HTMLImageElement>(null);
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (left.current) left.current.style.clipPath = `inset(0 ${(1 - split) * 100}% 0 0)`;
    if (line.current) line.current.style.left = `calc(${split * 100}% - 1px)`;
  }, [split, before]);
  return (
    <figure
      class="viewer-picture"
      onPointerMove={(e) => {
        if (!before) return;
        const box = e.currentTarget.getBoundingClientRect();
        setSplit(Math.min(1, Math.max(0, (e.clientX - box.left) / box.width)));
      }}
    >
      <img
        src={fileUrl(after)}
        alt={after.filename}
        class={isSmall ? "pixels" : ""}
        onLoad={(e) => {
          const { naturalWidth, naturalHeight, clientWidth } = e.currentTarget;
          setSmall(naturalWidth * 3 < clientWidth);
          onSize?.([naturalWidth, naturalHeight]);
        }}
      />
      {before && (
        <>
          <img src={fileUrl(before)} alt={before.filename} ref={left} class={isSmall ? "pixels" : ""} />
          <div class="split" ref={line} />
          <span class="tag tag-left">{before.filename}</span>
          <span class="tag tag-right">{after.filename}</span>
          <input
            class="hidden-text"
            type="range"
            min={0}
            max={1}
            step={0.01}
            value={split}
            aria-label="Where one picture ends and the other begins"
            onInput={(e) => setSplit(Number(e.currentTarget.value))}
          />
        </>
      )}
    </figure>
  );
}
