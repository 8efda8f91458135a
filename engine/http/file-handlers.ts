import { createHash } from "node:crypto";
import { type FileHandle, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileInfo, type FileRoot, THUMBNAIL_WIDTHS } from "../api/files.ts";
import { AppError } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";
import { writeAtomic } from "../store/atomic-write.ts";
import type { SharedFile } from "../store/shared-files.ts";
import type { BytesAnswer, Handlers } from "./mount.ts";
import { fileHeaders } from "./served-type.ts";
import type { Services } from "./services.ts";

const LIMITS = { maxCharacters: 2 ** 26, maxDepth: 100 };
const EXTENSION = { png: ".png", jpeg: ".jpg", webp: ".webp", gif: ".gif", tiff: ".tiff", avif: ".avif", bmp: ".bmp" } as const;

type Names = "files" | "file" | "upload" | "removeFile" | "fileWorkflow" | "readWorkflow" | "models" | "model";

export function fileHandlers({
  files,
  reader,
  data,
  models,
  announce,
  modelList,
}: Services & { readonly modelList: Handlers["models"] }): Pick<Handlers, Names> {
  return {
    models: modelList,
    async model({ params: { folder, name } }) {
      const list = await modelList({ params: undefined, query: undefined, body: undefined });
      const info = list.models.find((m) => m.folder === folder && m.name === name);
      if (!info)
        throw new AppError("MODEL_NOT_FOUND", `the model folder ${folder.slice(0, 100)} has no ${JSON.stringify(name.slice(0, 200))}`, {
          hint: "load the list of models again",
        });
      return { info, ...(await reader.ask("model", { models: { roots: [...models.roots] }, folder, name })) };
    },
    async files({ params: { root }, query: { after, limit, kind } }) {
      const all = (await files[root].list((name) => root === "output" && isInternal(name)))
        .map((file) => fileInfoOf(root, file))
        .filter((file) => kind === undefined || file.kind === kind);
      const start = after === undefined ? 0 : all.findIndex((file) => nameOf(file) === after) + 1;
      const page = all.slice(start, start + limit);
      const last = page.at(-1);
      return { files: page, next: last && start + limit < all.length ? nameOf(last) : null };
    },
    async file({ params: { root, name }, query: { width, opaque, download } }) {
      return width === undefined ? whole(await files[root].open(name), download === "1") : thumbnail(root, name, width, opaque === "1");
    },
    async upload({ query: { name, maskOf, profile }, body }) {
      const bytes =
        maskOf === undefined
          ? body
          : await reader.ask("masked", { path: await readable("input", maskOf), name: maskOf, mask: body, profile });
      const { format } = await reader.ask("picture", { bytes, name });
      // The user's name is used if it is valid; the extension follows the content.
      const stem = name
        .replace(/\.[A-Za-z0-9]{1,5}$/, "")
        .replace(/[^\p{L}\p{N} ._()-]/gu, "_")
        .replace(/^[. ]+/, "")
        .slice(0, 100);
      const saved = await files.input.add(`${stem || "picture"}${EXTENSION[format]}`, bytes);
      announce({ kind: "changed", what: "input", name: saved.name });
      return fileInfoOf("input", saved);
    },
    async removeFile({ params: { root, name } }) {
      await files[root].remove(name);
      if (root === "input") announce({ kind: "changed", what: "input", name });
      return {};
    },
    async fileWorkflow({ params: { root, name } }) {
      const { file, bytes } = await files[root].open(name);
      try {
        if (bytes > LIMITS.maxCharacters) throw new AppError("INPUT_TOO_LARGE", "the file is too large to hold a workflow");
        // Awaited here: a refusal while the file is being closed would be nobody's.
        return await workflowIn(new Uint8Array(await file.readFile()));
      } finally {
        await file.close();
      }
    },
    readWorkflow: ({ body }) => workflowIn(body),
  };

  async function workflowIn(bytes: Uint8Array): Promise<{ readonly format: "ui" | "api"; readonly document: unknown }> {
    const found = await reader.ask("workflow", { bytes });
    if (!found)
      throw new AppError("WORKFLOW_NONE", "this file holds no workflow", { hint: "drop a picture made here, or a workflow's JSON" });
    return { format: found.format, document: parseJson(found.text, LIMITS) };
  }

  /** The path of an ordinary file, for the child. @throws AppError as SharedFiles.open */
  async function readable(root: FileRoot, name: string): Promise<string> {
    const { file } = await files[root].open(name);
    await file.close();
    return files[root].path(name);
  }

  /** Made once per content and width, in the child. */
  async function thumbnail(root: FileRoot, name: string, width: number, opaque: boolean): Promise<BytesAnswer> {
    const { file, bytes, modified } = await files[root].open(name);
    await file.close();
    const path = await files[root].path(name);
    const size = THUMBNAIL_WIDTHS.find((w) => w >= width) ?? 1024;
    const key = createHash("sha256")
      .update(JSON.stringify([path, bytes, modified, size, opaque]))
      .digest("hex");
    const folder = join(data, "thumbnails");
    const cached = join(folder, `${key}.webp`);
    const headers = fileHeaders("thumbnail.webp", false);
    const known = await readFile(cached).catch(() => undefined);
    if (known) return { headers, content: new Uint8Array(known), etag: `"${key}"` };
    const made = await reader.ask("thumbnail", { path, width: size, opaque });
    await mkdir(folder, { recursive: true });
    await writeAtomic(cached, made);
    return { headers, content: made, etag: `"${key}"` };
  }
}

function whole({ file, name, bytes, modified }: SharedFile & { readonly file: FileHandle }, download: boolean): BytesAnswer {
  return { headers: fileHeaders(name.split("/").at(-1) ?? name, download), content: { file, bytes }, etag: `"${bytes}-${modified}"` };
}

/** Records and previews have routes of their own. */
function isInternal(name: string): boolean {
  return name === "temp" || name === "runs";
}

function fileInfoOf(root: FileRoot, { name, bytes, modified }: SharedFile): FileInfo {
  const parts = name.split("/");
  const filename = parts.pop() ?? "";
  const extension = /\.([A-Za-z0-9]+)$/.exec(filename)?.[1]?.toLowerCase() ?? "";
  const kind = /^(png|jpe?g|webp)$/.test(extension)
    ? "picture"
    : extension === "json"
      ? "json"
      : /^(txt|log|md|csv|jsonl)$/.test(extension)
        ? "text"
        : "other";
  return { ref: { filename, subfolder: parts.join("/"), type: root }, bytes, modified, kind };
}

function nameOf({ ref }: FileInfo): string {
  return ref.subfolder === "" ? ref.filename : `${ref.subfolder}/${ref.filename}`;
}
