// How one thread can see that the other is stuck: a number in shared memory that the computing thread keeps changing.

/** The computing thread's side. */
export class Pulse {
  readonly #cell: Int32Array;
  #computations = 0;

  /** @param cell one Int32 in shared memory */
  constructor(cell: Int32Array) {
    this.#cell = cell;
  }

  /** Reports that something happened. */
  beat(): void {
    Atomics.add(this.#cell, 0, 1);
  }

  /** A computation begins or ends. */
  computing(isComputing: boolean): void {
    this.#computations += isComputing ? 1 : -1;
    this.beat();
  }

  /** Called by a timer. While something computes on another thread or device, a running timer here proves nothing. */
  tick(): void {
    if (this.#computations === 0) this.beat();
  }
}

/** The watching side. */
export class PulseWatch {
  readonly #cell: Int32Array;
  readonly #tickMs: number;
  #seen: number;
  #changed: number;
  #looked: number;

  /** @param tickMs how often `still` is called; @param now milliseconds, monotonic */
  constructor(cell: Int32Array, tickMs: number, now: number) {
    this.#cell = cell;
    this.#tickMs = tickMs;
    this.#seen = Atomics.load(cell, 0);
    this.#changed = now;
    this.#looked = now;
  }

  /** Milliseconds since the last beat that was seen. */
  still(now: number): number {
    const beats = Atomics.load(this.#cell, 0);
    // Stillness means nothing when the whole process was stopped.
    if (beats !== this.#seen || now - this.#looked > 4 * this.#tickMs) this.#changed = now;
    this.#seen = beats;
    this.#looked = now;
    return now - this.#changed;
  }
}
