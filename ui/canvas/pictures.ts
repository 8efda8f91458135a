// Pictures for the canvas: each URL is fetched once, the most recently drawn are kept.
export class Pictures {
  readonly #known = new Map<string, HTMLImageElement>();
  readonly #onLoad: () => void;
  readonly #limit: number;

  constructor(onLoad: () => void, limit = 400) {
    this.#onLoad = onLoad;
    this.#limit = limit;
  }

  /** Whether any is still on its way. */
  get isLoading(): boolean {
    return [...this.#known.values()].some((image) => !image.complete);
  }

  /** undefined while it loads, and for good when it can't. */
  get(url: string): HTMLImageElement | undefined {
    let image = this.#known.get(url);
    if (image) {
      this.#known.delete(url);
      this.#known.set(url, image);
    } else {
      image = new Image();
      image.decoding = "async";
      image.addEventListener("load", this.#onLoad);
      image.src = url;
      this.#known.set(url, image);
      for (const old of this.#known.keys()) {
        if (this.#known.size <= this.#limit) break;
        this.#known.delete(old);
      }
    }
    return image.complete && image.naturalWidth > 0 ? image : undefined;
  }
}
