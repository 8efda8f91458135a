// "Score this picture": the workflow's reward, with a node that evaluates it on the picture in place of the workflow's outputs.
import type { z } from "zod";
import type { FileRef, FileRoot } from "../api/files.ts";
import type { scorePicture } from "../api/runs.ts";
import { loadGraph } from "../app/load-workflow.ts";
import type { Submission } from "../app/submission.ts";
import { AppError } from "../base/errors.ts";
import { readWorkflow } from "../graph/parse-workflow.ts";
import type { Services } from "./services.ts";

/** @throws AppError WORKFLOW_INVALID, SCORE_NOT_REWARD, FILE_NOT_FOUND, PATH_UNSAFE */
export async function scoreSubmission({ registry, files }: Services, body: z.output<typeof scorePicture>): Promise<Submission> {
  const { workflow, prompt: given, node, slot, picture, references, client, key } = body;
  const { workflow: loaded, issues } = loadGraph(readWorkflow(given ?? workflow), registry);
  const prompt = loaded?.prompt;
  const source = prompt?.[node];
  if (!prompt || !source)
    throw new AppError("WORKFLOW_INVALID", issues[0]?.message ?? `the workflow has no node ${node.slice(0, 100)}`, {
      details: { issues: [...issues] },
    });
  const type = registry.get(source.class_type)?.outputs[slot]?.type;
  if (type !== "REWARD")
    throw new AppError("SCORE_NOT_REWARD", `output ${slot} of node ${node} gives ${type ?? "nothing"}, not a REWARD`, {
      hint: "choose a reward node",
    });
  const allowed: Record<string, string> = {};
  const load = async (ref: FileRef): Promise<{ readonly class_type: "LoadImage"; readonly inputs: { readonly image: string } }> => {
    const name = [ref.subfolder, ref.filename].filter((part) => part !== "").join("/");
    const root: FileRoot = ref.type;
    const path = await files[root].path(name);
    const image = root === "input" ? name : `${root}:${name}`;
    if (root !== "input") allowed[image] = path;
    return { class_type: "LoadImage", inputs: { image } };
  };
  // What the reward needs, without any output node.
  const needed = Object.fromEntries(Object.entries(prompt).filter(([, n]) => !registry.get(n.class_type)?.isOutput));
  const scored: Record<string, unknown> = { ...needed, "score:picture": await load(picture) };
  const inputs: Record<string, unknown> = { reward: [node, slot], image: ["score:picture", 0] };
  if (references.length > 0) {
    let last = "";
    for (const [i, ref] of references.entries()) {
      const id = `score:reference:${i}`;
      scored[id] = await load(ref);
      if (last !== "") scored[`score:batch:${i}`] = { class_type: "ImageBatch", inputs: { image1: [last, 0], image2: [id, 0] } };
      last = last === "" ? id : `score:batch:${i}`;
    }
    scored["score:faces"] = { class_type: "FaceDetect", inputs: { image: [last, 0] } };
    inputs.references = ["score:faces", 0];
  }
  scored["score:score"] = { class_type: "ScorePicture", inputs, _meta: { title: source._meta?.title ?? source.class_type } };
  return {
    workflow,
    prompt: scored,
    name: `score of ${picture.filename}`,
    kind: "score",
    front: true,
    client,
    key,
    ...(Object.keys(allowed).length > 0 && { allowed }),
  };
}
