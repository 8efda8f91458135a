import { readFileSync, writeFileSync } from "node:fs";
import type { MemoryReading } from "./messages.ts";

/** Measures the memory of this process, and its peaks since `reset`. */
export class MemoryMeter {
  #peakAnonymous = 0;
  #peakRss = 0;

  /** The kernel keeps the peak of all memory but not that of anonymous memory, so call this several times a second. */
  read(): MemoryReading {
    const status = readStatus();
    const rss = status.get("VmRSS") ?? process.memoryUsage.rss();
    const anonymous = status.get("RssAnon");
    this.#peakRss = Math.max(this.#peakRss, rss, status.get("VmHWM") ?? 0);
    if (anonymous === undefined) return { rss, peakRss: this.#peakRss };
    this.#peakAnonymous = Math.max(this.#peakAnonymous, anonymous);
    return { rss, anonymous, peakRss: this.#peakRss, peakAnonymous: this.#peakAnonymous };
  }

  reset(): void {
    try {
      // proc(5): 5 resets the peak resident set size.
      writeFileSync("/proc/self/clear_refs", "5");
    } catch {
      // Not Linux, or not allowed: the peak is then that of the process, not of the run.
    }
    this.#peakRss = 0;
    this.#peakAnonymous = 0;
  }
}

function readStatus(): ReadonlyMap<string, number> {
  const out = new Map<string, number>();
  try {
    for (const match of readFileSync("/proc/self/status", "latin1").matchAll(/^(\w+):\s+(\d+) kB$/gm))
      out.set(match[1] ?? "", Number(match[2]) * 1024);
  } catch {
    // Not Linux.
  }
  return out;
}
