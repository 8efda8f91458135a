// What the server has: models, pictures, saved graphs, starting points, and what it says of itself.
import { type Signal, signal } from "@preact/signals";
import { type FileInfo, fileUrl } from "../../engine/api/files.ts";
import type { GraphInfo, StartingPoint } from "../../engine/api/graphs.ts";
import type { Answer } from "../../engine/api/routes.ts";
import type { SystemInfo } from "../../engine/api/system.ts";
import type { FileKind } from "../../engine/graph/catalogue.ts";
import { call } from "../net/client.ts";
import { attempt } from "./attempt.ts";
import { inputName, inputRef } from "./input-name.ts";

const inputPictures = async (): Promise<readonly FileInfo[]> =>
  (await call("files", { params: { root: "input" }, query: { kind: "picture", limit: 1000 } })).files;

export class Library {
  readonly system = signal<SystemInfo | undefined>(undefined);
  readonly models = signal<Answer<"models"> | undefined>(undefined);
  readonly inputs = signal<readonly FileInfo[]>([]);
  readonly graphs = signal<readonly GraphInfo[]>([]);
  readonly gallery = signal<readonly StartingPoint[]>([]);

  /** Each for itself: a folder that can't be read does not hide the others. */
  async load(): Promise<void> {
    const load = <T>(into: Signal<T>, get: () => Promise<T>): Promise<boolean> =>
      attempt(async () => {
        into.value = await get();
      });
    await Promise.all([
      load(this.system, () => call("system", {})),
      load(this.models, () => call("models", {})),
      load(this.inputs, inputPictures),
      load(this.graphs, async () => (await call("graphs", {})).graphs),
      load(this.gallery, async () => (await call("gallery", {})).points),
    ]);
  }

  /** Something was saved or removed: by another tab, by a run. */
  async reload(what: "graphs" | "input" | "models"): Promise<void> {
    await attempt(async () => {
      if (what === "graphs") this.graphs.value = (await call("graphs", {})).graphs;
      else if (what === "input") this.inputs.value = await inputPictures();
      else this.models.value = await call("models", {});
    });
  }

  /** A file that was just put into the input folder. */
  addInput(info: FileInfo): void {
    const name = inputName(info.ref);
    this.inputs.value = [info, ...this.inputs.value.filter((f) => inputName(f.ref) !== name)];
  }

  /** Puts a picture into the input folder and returns the name a LoadImage takes. */
  async upload(file: File): Promise<string | undefined> {
    let name: string | undefined;
    await attempt(async () => {
      const info = await call("upload", {
        query: { name: file.name === "" ? "pasted.png" : file.name },
        body: new Uint8Array(await file.arrayBuffer()),
      });
      this.addInput(info);
      name = inputName(info.ref);
    });
    return name;
  }

  /** Names a file widget may take; undefined when the widget names no file, or they are not loaded. */
  fileChoices(file: FileKind | undefined): readonly string[] | undefined {
    if (!file) return undefined;
    if (file.kind === "input") return this.inputs.value.map((f) => inputName(f.ref));
    return this.models.value?.models.flatMap((m) => (m.folder === file.folder && m.name.endsWith(file.ends ?? "") ? [m.name] : []));
  }

  inputUrl(name: string, width?: number): string {
    return fileUrl(inputRef(name), width);
  }
}
