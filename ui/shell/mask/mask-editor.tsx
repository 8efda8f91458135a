// Paints the mask of a LoadImage: with the pointer or the keyboard. What is kept is a copy of the picture that is clear where it is masked.
import { useEffect, useRef, useState } from "preact/hooks";
import { fileUrl } from "../../../engine/api/files.ts";
import { type Id, nodeById, type Place } from "../../doc/document.ts";
import { widgetsOf } from "../../doc/widgets.ts";
import { call } from "../../net/client.ts";
import { useApp } from "../../state/context.ts";
import { inputRef } from "../../state/input-name.ts";
import { say } from "../../state/toasts.ts";
import { Dialog } from "../dialog.tsx";
import { type Brush, MaskCanvas, maskSize } from "./mask-canvas.ts";

interface Props {
  readonly place: Place;
  readonly node: Id;
  /** The node's widget that names the picture. */
  readonly widget: string;
  /** Name below the input folder. */
  readonly picture: string;
  readonly close: () => void;
}

const COLOR = [236, 72, 153] as const;

export function MaskEditor({ place, node, widget, picture, close }: Props) {
  const app = useApp();
  const canvas = useRef<HTMLCanvasElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  const mask = useRef<MaskCanvas>(undefined);
  /** Said once: what was painted is lost with the next Esc. */
  const isWarned = useRef(false);
  const spot = useRef<readonly [number, number]>([0, 0]);
  const [size, setSize] = useState<readonly [number, number]>();
  const [brush, setBrush] = useState<Brush>({ size: 48, softness: 0.2, isEraser: false });
  const [zoom, setZoom] = useState(1);
  const [, setStep] = useState(0);
  const [isSaving, setSaving] = useState(false);
  const ref = inputRef(picture);
  const changed = (): void => setStep((n) => n + 1);

  useEffect(() => {
    const image = new Image();
    image.onload = () => {
      const [width, height] = maskSize(image.naturalWidth, image.naturalHeight);
      const board = canvas.current;
      if (!board) return;
      board.width = width;
      board.height = height;
      mask.current = new MaskCanvas(board, COLOR);
      mask.current.load(image);
      spot.current = [width / 2, height / 2];
      setBrush((b) => ({ ...b, size: Math.max(4, Math.round(Math.max(width, height) / 16)) }));
      setSize([width, height]);
      board.focus({ preventScroll: true });
    };
    image.onerror = () => {
      say(`${picture} can't be read.`);
      close();
    };
    image.src = fileUrl(ref);
  }, [picture]);

  const pointOf = (e: PointerEvent): readonly [number, number] => {
    const board = canvas.current;
    if (!board) return [0, 0];
    const box = board.getBoundingClientRect();
    return [((e.clientX - box.left) * board.width) / box.width, ((e.clientY - box.top) * board.height) / box.height];
  };
  const showRing = (): void => {
    const el = ring.current;
    const board = canvas.current;
    if (!el || !board) return;
    const scale = board.clientWidth / board.width;
    const [x, y] = spot.current;
    Object.assign(el.style, {
      width: `${brush.size * scale}px`,
      height: `${brush.size * scale}px`,
      left: `${(x - brush.size / 2) * scale}px`,
      top: `${(y - brush.size / 2) * scale}px`,
    });
  };
  useEffect(showRing);

  const act = (what: "undo" | "redo" | "clear" | "invert"): void => {
    mask.current?.[what]();
    changed();
  };
  const onKey = (e: KeyboardEvent): void => {
    const board = canvas.current;
    if (!board) return;
    const isStep = e.ctrlKey || e.metaKey;
    const arrows: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const arrow = arrows[e.key];
    if (e.key === "Escape" && mask.current?.canUndo && !isWarned.current) {
      isWarned.current = true;
      say("Esc again leaves without keeping the mask.");
      e.stopPropagation();
      return;
    }
    if (isStep && e.key.toLowerCase() === "z") act(e.shiftKey ? "redo" : "undo");
    else if (isStep && e.key.toLowerCase() === "y") act("redo");
    else if (e.key === "[") setBrush({ ...brush, size: Math.max(2, Math.round(brush.size / 1.25)) });
    else if (e.key === "]") setBrush({ ...brush, size: Math.min(1024, Math.round(brush.size * 1.25) + 1) });
    else if (e.key.toLowerCase() === "x") setBrush({ ...brush, isEraser: !brush.isEraser });
    else if (arrow && e.target === board) {
      const by = e.shiftKey ? 1 : Math.max(1, brush.size / 4);
      const [x, y] = spot.current;
      spot.current = [Math.min(board.width, Math.max(0, x + arrow[0] * by)), Math.min(board.height, Math.max(0, y + arrow[1] * by))];
      showRing();
    } else if (e.key === " " && e.target === board) {
      mask.current?.begin(spot.current[0], spot.current[1], brush);
      changed();
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };

  const save = (): void =>
    void app.try(async () => {
      if (!mask.current) return;
      setSaving(true);
      try {
        const own = nodeById(app.editor.graph.value, node);
        const profile = own && widgetsOf(app.editor.doc.value, own, app.editor.faces).find((w) => w.face.name === "color_profile")?.value;
        const stem = ref.filename.replace(/\.\w+$/, "").replace(/-masked( \(\d+\))?$/, "");
        const info = await call("upload", {
          query: { name: `${stem}-masked.png`, maskOf: picture, profile: profile === "convert" ? "convert" : "ignore" },
          body: await mask.current.png(),
        });
        app.library.inputs.value = [
          info,
          ...app.library.inputs.value.filter((f) => f.ref.filename !== info.ref.filename || f.ref.subfolder !== ""),
        ];
        app.editor.perform([{ name: "widget.set", args: { place, id: node, name: widget, value: info.ref.filename } }], "Paint a mask");
        close();
        say(`The mask is kept in ${info.ref.filename}`, { label: "Undo", run: () => app.editor.undo() });
      } finally {
        setSaving(false);
      }
    });

  return (
    <Dialog
      title={`Mask of ${ref.filename}`}
      close={close}
      size="full"
      foot={
        <>
          <span class="grow small dim">
            Paint where the picture may change. Right button or <kbd>X</kbd> erases, <kbd>[</kbd> <kbd>]</kbd> size, arrows and{" "}
            <kbd>Space</kbd> without a pointer.
          </span>
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="button" class="button primary" disabled={!size || isSaving} onClick={save}>
            Keep the mask
          </button>
        </>
      }
    >
      <div class="mask-editor" onKeyDown={onKey}>
        <div class="row mask-tools" role="toolbar" aria-label="Mask">
          <button type="button" class="button" aria-pressed={!brush.isEraser} onClick={() => setBrush({ ...brush, isEraser: false })}>
            Paint
          </button>
          <button type="button" class="button" aria-pressed={brush.isEraser} onClick={() => setBrush({ ...brush, isEraser: true })}>
            Erase
          </button>
          <label class="row">
            Size
            <input
              type="range"
              min={2}
              max={400}
              value={brush.size}
              onInput={(e) => setBrush({ ...brush, size: Number(e.currentTarget.value) })}
            />
          </label>
          <label class="row">
            Softness
            <input
              type="range"
              min={0}
              max={1}
              step={0.05}
              value={brush.softness}
              onInput={(e) => setBrush({ ...brush, softness: Number(e.currentTarget.value) })}
            />
          </label>
          <label class="row">
            Zoom
            <input type="range" min={1} max={8} step={0.25} value={zoom} onInput={(e) => setZoom(Number(e.currentTarget.value))} />
          </label>
          <button type="button" class="button" disabled={!mask.current?.canUndo} onClick={() => act("undo")}>
            Undo
          </button>
          <button type="button" class="button" disabled={!mask.current?.canRedo} onClick={() => act("redo")}>
            Redo
          </button>
          <button type="button" class="button" onClick={() => act("invert")}>
            Invert
          </button>
          <button type="button" class="button" onClick={() => act("clear")}>
            Clear
          </button>
        </div>
        <div class="mask-scroll">
          <div
            class="mask-board"
            ref={(el) => {
              if (!el || !size) return;
              el.style.aspectRatio = `${size[0]} / ${size[1]}`;
              // As large as the room allows at zoom 1.
              el.style.width = `min(${100 * zoom}%, ${(zoom * 100 * size[0]) / size[1]}cqh)`;
            }}
          >
            <img src={`${fileUrl(ref, 1024)}&opaque=1`} alt="" draggable={false} />
            <canvas
              ref={canvas}
              tabIndex={0}
              role="img"
              aria-label={`Mask over ${ref.filename}. Arrows move the brush, Space paints.`}
              onContextMenu={(e) => e.preventDefault()}
              onPointerDown={(e) => {
                if (e.button !== 0 && e.button !== 2) return;
                e.currentTarget.setPointerCapture(e.pointerId);
                spot.current = pointOf(e);
                mask.current?.begin(spot.current[0], spot.current[1], e.button === 2 ? { ...brush, isEraser: true } : brush);
                changed();
              }}
              onPointerMove={(e) => {
                for (const part of e.buttons === 0 ? [] : (e.getCoalescedEvents?.() ?? [e])) {
                  const [x, y] = pointOf(part);
                  mask.current?.continue(x, y, (e.buttons & 2) !== 0 ? { ...brush, isEraser: true } : brush);
                }
                spot.current = pointOf(e);
                showRing();
              }}
            />
            <div class="mask-ring" ref={ring} />
          </div>
        </div>
      </div>
    </Dialog>
  );
}
