import type { FileRef } from "../../engine/api/files.ts";

/** The file that a value of LoadImage names: `folder/name.png` below the input folder. */
export function inputRef(name: string): FileRef {
  const parts = name.split("/");
  return { type: "input", subfolder: parts.slice(0, -1).join("/"), filename: parts.at(-1) ?? "" };
}

/** The value that names it. */
export function inputName({ subfolder, filename }: Pick<FileRef, "subfolder" | "filename">): string {
  return subfolder === "" ? filename : `${subfolder}/${filename}`;
}
