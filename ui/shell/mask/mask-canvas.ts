// A mask as it is painted: strokes, undo, and the picture it is saved as. Alpha is the mask; the colour is only for the eye.

export interface Brush {
  /** Diameter in pixels of the mask. */
  readonly size: number;
  /** 0 = a hard edge, 1 = it fades from the middle on. */
  readonly softness: number;
  readonly isEraser: boolean;
}

/** Longest side of a mask: larger pictures get it stretched over them when it is saved. */
export const MAX_SIDE = 1536;
const MAX_STEPS = 30;

/** The size a picture's mask is painted in. */
export function maskSize(width: number, height: number): readonly [number, number] {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

export class MaskCanvas {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #color: readonly [number, number, number];
  #past: Uint8Array[] = [];
  #future: Uint8Array[] = [];
  #last: readonly [number, number] | undefined;

  /** @param color red, green, blue that what is masked is shown in */
  constructor(canvas: HTMLCanvasElement, color: readonly [number, number, number]) {
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("this browser draws no canvas");
    this.#canvas = canvas;
    this.#context = context;
    this.#color = color;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }
  get canRedo(): boolean {
    return this.#future.length > 0;
  }
  get isEmpty(): boolean {
    return this.#alpha().every((a) => a === 0);
  }

  /** Begins with what the picture already leaves clear. */
  load(picture: HTMLImageElement): void {
    const { width, height } = this.#canvas;
    this.#context.clearRect(0, 0, width, height);
    this.#context.drawImage(picture, 0, 0, width, height);
    this.#show(this.#alpha().map((a) => 255 - a));
  }

  /** A stroke begins; what was before it can be undone to. */
  begin(x: number, y: number, brush: Brush): void {
    this.#keep();
    this.#last = [x, y];
    this.#stamp(x, y, brush);
  }
  continue(x: number, y: number, brush: Brush): void {
    const [x0, y0] = this.#last ?? [x, y];
    const length = Math.hypot(x - x0, y - y0);
    const steps = Math.ceil(length / Math.max(1, brush.size / 8));
    for (let i = 1; i <= steps; i++) this.#stamp(x0 + ((x - x0) * i) / steps, y0 + ((y - y0) * i) / steps, brush);
    this.#last = [x, y];
  }

  clear(): void {
    this.#keep();
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }
  invert(): void {
    this.#keep();
    this.#show(this.#alpha().map((a) => 255 - a));
  }
  undo(): void {
    const before = this.#past.pop();
    if (!before) return;
    this.#future.push(this.#alpha());
    this.#show(before);
  }
  redo(): void {
    const after = this.#future.pop();
    if (!after) return;
    this.#past.push(this.#alpha());
    this.#show(after);
  }

  /** Grey, white where it masks. */
  async png(): Promise<Uint8Array> {
    const { width, height } = this.#canvas;
    const out = new OffscreenCanvas(width, height);
    const context = out.getContext("2d");
    if (!context) throw new Error("this browser draws no canvas");
    context.drawImage(this.#canvas, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    return new Uint8Array(await (await out.convertToBlob({ type: "image/png" })).arrayBuffer());
  }

  #stamp(x: number, y: number, { size, softness, isEraser }: Brush): void {
    const context = this.#context;
    const [r, g, b] = this.#color;
    const radius = Math.max(0.5, size / 2);
    context.globalCompositeOperation = isEraser ? "destination-out" : "source-over";
    if (softness === 0) context.fillStyle = `rgb(${r} ${g} ${b})`;
    else {
      const fade = context.createRadialGradient(x, y, radius * (1 - softness), x, y, radius);
      fade.addColorStop(0, `rgb(${r} ${g} ${b})`);
      fade.addColorStop(1, `rgb(${r} ${g} ${b} / 0)`);
      context.fillStyle = fade;
    }
    context.beginPath();
    context.arc(x, y, radius, 0, Math.PI * 2);
    context.fill();
    context.globalCompositeOperation = "source-over";
  }

  #keep(): void {
    this.#past = [...this.#past.slice(1 - MAX_STEPS), this.#alpha()];
    this.#future = [];
  }

  #alpha(): Uint8Array {
    const { width, height } = this.#canvas;
    const { data } = this.#context.getImageData(0, 0, width, height);
    const alpha = new Uint8Array(width * height);
    for (let i = 0; i < alpha.length; i++) alpha[i] = data[4 * i + 3] ?? 0;
    return alpha;
  }

  #show(alpha: Uint8Array): void {
    const { width, height } = this.#canvas;
    const picture = this.#context.createImageData(width, height);
    const [r, g, b] = this.#color;
    for (let i = 0; i < alpha.length; i++) picture.data.set([r, g, b, alpha[i] ?? 0], 4 * i);
    this.#context.putImageData(picture, 0, 0);
  }
}
