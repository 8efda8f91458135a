import { basename } from "node:path";
import { type GraphInfo, graphName } from "../api/graphs.ts";
import { readWorkflowFile } from "../app/load-workflow.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { parseJson, stringifyJson } from "../base/json.ts";
import type { GraphFile, UnreadableGraph } from "../store/graph-files.ts";
import type { Handlers } from "./mount.ts";
import { fileHeaders } from "./served-type.ts";
import type { Services } from "./services.ts";

const LIMITS = { maxCharacters: 2 ** 24, maxDepth: 100 };

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

export function graphHandlers({ graphs, gallery, settings, opened, announce, system }: Services): Pick<Handlers, Names> {
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
      return settings.read();
    },
    async saveSettings({ body }) {
      await settings.write(body);
      announce({ kind: "changed", what: "settings" });
      return body;
    },
  };
}

function infoOf(file: GraphFile | UnreadableGraph): GraphInfo {
  if ("problem" in file) return { name: file.name, revision: "", modified: 0, nodes: 0, problem: file.problem };
  const { name, revision, modified, text } = file;
  if (!graphName.safeParse(name).success)
    return { name, revision, modified, nodes: 0, problem: "its name has characters that can't be asked for: rename the file" };
  try {
    return { name, revision, modified, nodes: nodeCount(parseJson(text, LIMITS)) };
  } catch (error) {
    return { name, revision, modified, nodes: 0, problem: toAppError(error).message };
  }
}

function nodeCount(document: unknown): number {
  if (typeof document !== "object" || document === null) return 0;
  return "nodes" in document && Array.isArray(document.nodes) ? document.nodes.length : Object.keys(document).length;
}
