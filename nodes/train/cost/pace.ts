/** How long a run still takes, from the updates made by this process. */
export class Pace {
  readonly #recent: number[] = [];
  #updates = 0;
  #extra = 0;

  /** @param update seconds of the update itself. @param extra seconds around it: samples, metrics, checkpoint. */
  add(update: number, extra: number): void {
    this.#recent.push(update);
    if (this.#recent.length > RECENT) this.#recent.shift();
    this.#updates++;
    this.#extra += extra;
  }

  /** Seconds of a usual update: the median of the recent ones, so that compiling a graph or a hiccup does not count. */
  get update(): number {
    const sorted = [...this.#recent].sort((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  }

  /** Seconds for this many more updates. */
  left(updates: number): number {
    return updates * (this.update + (this.#updates > 0 ? this.#extra / this.#updates : 0));
  }
}

const RECENT = 32;

/** `75 s`, `12 min`, `3.4 h`. */
export function timeLeft(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return seconds < 100 * 60 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
