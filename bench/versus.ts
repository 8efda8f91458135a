// Sections that set our engine beside PyTorch on the same shapes, weights and inputs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeArcface } from "./cases/arcface.ts";
import { writeProduct } from "./cases/product.ts";
import { writeTransformer } from "./cases/transformer.ts";
import { type Contest, contest } from "./contest.ts";
import type { findPeer } from "./side.ts";
import type { Task, TransformerTask } from "./task.ts";
import { textTable } from "./text-table.ts";

type Sizes = Omit<TransformerTask, "kind" | "folder">;

const SMALL: Sizes = {
  name: "small: 4 layers, d256, 544 tokens, r8",
  layers: 4,
  heads: 4,
  headDim: 64,
  axes: [8, 28, 28],
  textDim: 256,
  grid: [16, 32],
  textLength: 32,
  rank: 8,
};
const MEDIUM: Sizes = {
  name: "medium: 8 layers, d512, 576 tokens, r16",
  layers: 8,
  heads: 8,
  headDim: 64,
  axes: [8, 28, 28],
  textDim: 512,
  grid: [16, 32],
  textLength: 64,
  rank: 16,
};

/** What is raced in a section. */
const CONTESTS = {
  product: { title: "Products alone: how far apart the two matrix libraries are on this machine (no goal)", sizes: [] },
  forward: { title: "Transformer, one forward pass", sizes: [SMALL, MEDIUM] },
  step: { title: "LoRA training step: forward, backward, AdamW", sizes: [SMALL, MEDIUM] },
  reward: { title: "Reward of ArcFace's size (iResNet-50, 112²): forward and backward to the picture", sizes: [] },
} as const satisfies Record<Task["kind"], { title: string; sizes: readonly Sizes[] }>;

/** Prints one section. Goal: at most 0.8 of PyTorch's time, and no more memory. */
export async function versus(kind: Task["kind"], threadCounts: readonly number[], peer: ReturnType<typeof findPeer>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    const tasks: Task[] = [];
    if (kind === "reward") {
      writeArcface(1, (name, bytes) => writeFileSync(join(root, name), bytes));
      tasks.push({ kind, name: "iResNet-50", folder: root });
    } else if (kind === "product") {
      const task = { kind, name: "[576,1024]·[1024,1024]ᵀ, 16 in a row", folder: root, rows: 576, width: 1024 };
      writeProduct(task, 1, (name, bytes) => writeFileSync(join(root, name), bytes));
      tasks.push(task);
    } else
      for (const [i, sizes] of CONTESTS[kind].sizes.entries()) {
        const folder = join(root, String(i));
        mkdirSync(folder);
        const task = { ...sizes, kind, axes: [...sizes.axes], grid: [...sizes.grid], folder } satisfies Task;
        writeTransformer(task, 1, (name, bytes) => writeFileSync(join(folder, name), bytes));
        tasks.push(task);
      }
    const rows: string[][] = [];
    for (const task of tasks)
      for (const threads of threadCounts) rows.push(row(`${task.name}; ${threads} thr.`, await contest(task, threads, peer)));
    console.log(`\n${CONTESTS[kind].title}\n`);
    console.log(textTable(["", "time / PyTorch", "memory / PyTorch", "ours ms", "PyTorch ms", "ours MB", "PyTorch MB", "apart"], rows));
  } finally {
    rmSync(root, { recursive: true });
  }
}

function row(name: string, { ours, peer, apart }: Contest): string[] {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  const none = "not installed";
  return [
    name,
    peer ? (ours.ms / peer.ms).toFixed(2) : none,
    peer ? (ours.peak / peer.peak).toFixed(2) : none,
    ours.ms.toFixed(1),
    peer ? peer.ms.toFixed(1) : none,
    mb(ours.peak),
    peer ? mb(peer.peak) : none,
    apart === null ? none : apart.toExponential(1),
  ];
}
