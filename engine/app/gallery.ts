// The starting points: workflows that come with the program, with a picture each, and what they lack on this machine.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { StartingPoint } from "../api/graphs.ts";
import { AppError } from "../base/errors.ts";
import { fileReferences } from "../graph/plan.ts";
import type { Places } from "../host/messages.ts";
import type { Registry } from "../node/registry.ts";
import { unlessAbsent } from "../store/file-system.ts";
import { InputFiles } from "../store/input-files.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { loadGraph, planGraph, readWorkflowFile } from "./load-workflow.ts";

/** `gallery.json` beside the workflows: those that are shown, in this order. */
const entries = z.array(z.object({ name: z.string(), title: z.string(), summary: z.string() }));
type Entry = z.infer<typeof entries>[number];

export interface GalleryOptions {
  readonly folder: string;
  readonly registry: Registry;
  readonly inputs: Places;
  readonly models: Places;
}

export class Gallery {
  readonly #options: GalleryOptions;

  constructor(options: GalleryOptions) {
    this.#options = options;
  }

  async list(): Promise<StartingPoint[]> {
    return Promise.all((await this.#entries()).map((entry) => this.#point(entry)));
  }

  /** @throws AppError GRAPH_NOT_FOUND */
  async get(name: string): Promise<{ readonly point: StartingPoint; readonly document: unknown }> {
    const entry = (await this.#entries()).find((e) => e.name === name);
    if (!entry) throw new AppError("GRAPH_NOT_FOUND", `there is no starting point ${JSON.stringify(name.slice(0, 100))}`);
    const read = await readWorkflowFile(join(this.#options.folder, `${name}.json`));
    if (!read.ok) throw new AppError("GRAPH_NOT_FOUND", `the starting point ${name} cannot be read`);
    const document = read.workflow.format === "ui" ? read.workflow.document : read.workflow.prompt;
    return { point: await this.#point(entry), document };
  }

  /** A webp. @throws AppError GRAPH_NOT_FOUND */
  async picture(name: string): Promise<Uint8Array> {
    const bytes = (await this.#entries()).some((e) => e.name === name)
      ? await unlessAbsent(readFile(join(this.#options.folder, "pictures", `${name}.webp`)))
      : undefined;
    if (!bytes) throw new AppError("GRAPH_NOT_FOUND", `the starting point ${JSON.stringify(name.slice(0, 100))} has no picture`);
    return bytes;
  }

  async #entries(): Promise<readonly Entry[]> {
    return entries.parse(JSON.parse(await readFile(join(this.#options.folder, "gallery.json"), "utf8")));
  }

  async #point(entry: Entry): Promise<StartingPoint> {
    const { folder, registry, inputs, models } = this.#options;
    const { workflow } = loadGraph(await readWorkflowFile(join(folder, `${entry.name}.json`)), registry);
    const pictures: readonly string[] = (await unlessAbsent(readdir(join(folder, "pictures")))) ?? [];
    const missing: StartingPoint["missing"] = [];
    if (workflow) {
      const references = fileReferences(workflow.graph);
      const planned = await planGraph(workflow.graph, new InputFiles(inputs), new ModelFolders(models));
      for (const { path, message, hint } of planned.issues) {
        const found = references.find((r) => r.node === path[0] && r.input === path[1]);
        if (!found) continue;
        const type = workflow.prompt[found.node]?.class_type ?? "";
        missing.push({ node: found.node, type, input: found.input, kind: found.kind, name: found.name, hint: hint ?? message });
      }
    }
    return {
      ...entry,
      picture: pictures.includes(`${entry.name}.webp`) ? `/api/gallery/${encodeURIComponent(entry.name)}/picture` : null,
      missing,
      nodes: workflow ? Object.keys(workflow.prompt).length : 0,
    };
  }
}
