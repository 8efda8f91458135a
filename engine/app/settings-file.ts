// The settings that all pages share: one JSON file of the data folder.
import { readFile } from "node:fs/promises";
import { type Settings, settings } from "../api/system.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { parseJson, stringifyJson } from "../base/json.ts";
import { writeAtomic } from "../store/atomic-write.ts";
import { codeOf } from "../store/file-system.ts";
import { storeError } from "../store/store-error.ts";

const LIMITS = { maxCharacters: 2 ** 24, maxDepth: 100 };
const MAX_CHARACTERS = 2 ** 18;

export class SettingsFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Defaults while nothing was saved. @throws AppError SETTINGS_DAMAGED, STORE_* */
  async read(): Promise<Settings> {
    const text = await readFile(this.#path, "utf8").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return "{}";
      throw storeError("read", this.#path, error);
    });
    try {
      return settings.parse(parseJson(text, LIMITS));
    } catch (cause) {
      throw new AppError("SETTINGS_DAMAGED", `the settings in ${this.#path} can't be read: ${toAppError(cause).message}`, {
        hint: "mend the file, or move it away to begin with none",
        cause,
      });
    }
  }

  /** Replaced as a whole. A damaged file is not overwritten: a person may want to mend it. @throws AppError SETTINGS_TOO_LARGE, SETTINGS_DAMAGED, STORE_* */
  async write(changed: Settings): Promise<void> {
    const text = stringifyJson(changed, 2);
    if (text.length > MAX_CHARACTERS)
      throw new AppError("SETTINGS_TOO_LARGE", `the settings have ${text.length} characters; ${MAX_CHARACTERS} are allowed`);
    await this.read();
    await writeAtomic(this.#path, new TextEncoder().encode(text));
  }
}
