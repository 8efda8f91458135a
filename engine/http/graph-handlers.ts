import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { settings as settingsSchema } from "../api/system.ts";
import { readWorkflowFile } from "../app/load-workflow.ts";
import { AppError } from "../base/errors.ts";
import { parseJson, stringifyJson } from "../base/json.ts";
import { writeAtomic } from "../store/atomic-write.ts";
import type { GraphFile } from "../store/graph-files.ts";
import type { Handlers } from "./mount.ts";
import { fileHeaders } from "./served-type.ts";
import type { Services } from "./services.ts";

const LIMITS = { maxCharacters: 2 ** 24, maxDepth: 100 };
const MAX_SETTINGS = 2 ** 18;

type Names =
  | "graphs"
  | "graph"
  | "saveGraph"
  | "removeGraph"
  | "gallery"
  | "galleryGraph"
  | "galleryPicture"
  | "opened"
  | "settings"
  | "saveSettings"
  | "system";

export function graphHandlers({ graphs, gallery, data, opened, announce, system }: Services): Pick<Handlers, Names> {
  const path = join(data, "settings.json");
  return {
    system: () => system(),
    graphs: async () => ({ graphs: (await graphs.list()).map(infoOf) }),
    async graph({ params: { name } }) {
      const file = await graphs.get(name);
      return { info: infoOf(file), document: parseJson(file.text, LIMITS) };
    },
    async saveGraph({ params: { name }, body: { document, base } }) {
      if (typeof document !== "object" || document === null || Array.isArray(document))
        throw new AppError("REQUEST_INVALID", "body.document: a workflow is a JSON object");
      const file = await graphs.save(name, stringifyJson(document, 2), base);
      announce({ kind: "changed", what: "graphs", name });
      return infoOf(file);
    },
    async removeGraph({ params: { name } }) {
      await graphs.remove(name);
      announce({ kind: "changed", what: "graphs", name });
      return {};
    },
    gallery: async () => ({ points: await gallery.list() }),
    galleryGraph: ({ params: { name } }) => gallery.get(name),
    async galleryPicture({ params: { name } }) {
      const content = await gallery.picture(name);
      return { headers: fileHeaders("picture.webp", false), content, etag: `"${content.length}-${name.length}"` };
    },
    async opened() {
      if (opened === null)
        throw new AppError("SERVER_NOTHING_OPENED", "no workflow was named at the server's start", { hint: "npm start -- FILE" });
      const read = await readWorkflowFile(opened);
      if (!read.ok)
        throw new AppError("WORKFLOW_INVALID", read.issues[0]?.message ?? "it is no workflow", { details: { issues: read.issues } });
      const { workflow } = read;
      return {
        name: basename(opened).replace(/\.(json|png)$/i, ""),
        document: workflow.format === "ui" ? workflow.document : workflow.prompt,
      };
    },
    async settings() {
      const text = await readFile(path, "utf8").catch(() => "{}");
      return settingsSchema.parse(parseJson(text, LIMITS));
    },
    async saveSettings({ body }) {
      const text = stringifyJson(body, 2);
      if (text.length > MAX_SETTINGS)
        throw new AppError("SETTINGS_TOO_LARGE", `the settings have ${text.length} characters; ${MAX_SETTINGS} are allowed`);
      await writeAtomic(path, new TextEncoder().encode(text));
      announce({ kind: "changed", what: "settings" });
      return body;
    },
  };
}

function infoOf({ name, revision, modified, text }: GraphFile): { name: string; revision: string; modified: number; nodes: number } {
  return { name, revision, modified, nodes: nodeCount(text) };
}

function nodeCount(text: string): number {
  try {
    const document: unknown = parseJson(text, LIMITS);
    if (typeof document !== "object" || document === null) return 0;
    return "nodes" in document && Array.isArray(document.nodes) ? document.nodes.length : Object.keys(document).length;
  } catch {
    return 0;
  }
}
