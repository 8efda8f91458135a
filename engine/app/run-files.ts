// Files that a run of the command line saved: named by the run, since its folder is not one of the server's.
import { AppError } from "../base/errors.ts";
import { type FileFolder, SharedFiles } from "../store/shared-files.ts";
import type { RunHistory } from "./run-history.ts";

/** `ID/NAME`: only what that run itself said it saved and the samples of its trainings, nothing else of its folder. */
export class RunFiles implements FileFolder {
  readonly #history: RunHistory;

  constructor(history: RunHistory) {
    this.#history = history;
  }

  /** Runs list their own. */
  async list(): Promise<readonly never[]> {
    return [];
  }

  async open(name: string): ReturnType<FileFolder["open"]> {
    const { folder, own } = this.#find(name);
    return { ...(await folder.open(own)), name };
  }

  async path(name: string): Promise<string> {
    const { folder, own } = this.#find(name);
    return folder.path(own);
  }

  async remove(): Promise<never> {
    throw new AppError("FILE_KEPT", "what the command line saved is not removed from here", { hint: "remove it in its folder" });
  }

  /** @throws AppError FILE_NOT_FOUND, RUN_NOT_FOUND */
  #find(name: string): { readonly folder: SharedFiles; readonly own: string } {
    const [run = "", ...rest] = name.split("/");
    const own = rest.join("/");
    const { output, names, folders } = this.#history.files(run);
    if (!names.has(own) && !folders.some((folder) => own.startsWith(`${folder}/`)))
      throw new AppError("FILE_NOT_FOUND", `run ${run.slice(0, 100)} saved no ${JSON.stringify(own.slice(0, 200))}`, {
        hint: "load the run again",
      });
    return { folder: new SharedFiles([output]), own };
  }
}
