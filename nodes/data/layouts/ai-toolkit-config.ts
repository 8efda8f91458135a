// ai-toolkit's job file (YAML or JSON): folders of targets with captions, and a folder per control slot.
import { parse } from "yaml";
import { z } from "zod";
import { toAppError } from "../../../engine/base/errors.ts";
import { pairFolders } from "./ai-toolkit.ts";
import { addRepeated, besides, type DatasetEntry, type Files, folderOf, type Layout, type LayoutIssue } from "./dataset-entry.ts";
import { unreadKeys } from "./unread-keys.ts";

const text = z.string().nullish();
const Dataset = z.looseObject({
  folder_path: text,
  dataset_path: text,
  control_path: z.union([z.string(), z.array(z.string())]).nullish(),
  control_path_1: text,
  control_path_2: text,
  control_path_3: text,
  caption_ext: text,
  default_caption: text,
  trigger_word: text,
  num_repeats: z.int().positive().nullish(),
});
const Job = z.looseObject({
  config: z.looseObject({ process: z.array(z.looseObject({ trigger_word: text, datasets: z.array(Dataset).nullish() })).min(1) }),
});

const READ = Object.keys(Dataset.shape);
/** What changes nothing of the pictures and captions themselves. */
const QUIET = ["cache_latents", "cache_latents_to_disk", "cache_text_embeddings", "num_workers", "prefetch_factor"];

/** @param name of the file; relative folders lie beside it */
export async function readAiToolkit(files: Files, name: string, source: string, defaultPrompt: string): Promise<Layout> {
  const layout = { name: "ai-toolkit's job" };
  const failed = (message: string): Layout => ({ ...layout, entries: [], issues: [{ place: name, message }], notes: [] });
  let job: z.infer<typeof Job>;
  try {
    // Few aliases: a small file must not unfold into gigabytes.
    const parsed = Job.safeParse(parse(source, { maxAliasCount: 100, logLevel: "error" }));
    if (!parsed.success)
      return failed(`not a job of ai-toolkit: ${parsed.error.issues.map((i) => `${i.path.join(".") || "it"}: ${i.message}`).join("; ")}`);
    job = parsed.data;
  } catch (error) {
    return failed(`not YAML: ${toAppError(error).message.split("\n")[0]}`);
  }
  const datasets = job.config.process.flatMap((process, p) =>
    (process.datasets ?? []).map((dataset, k) => ({ dataset, place: `process[${p}].datasets[${k}]`, trigger: process.trigger_word })),
  );
  const entries: DatasetEntry[] = [];
  const issues: LayoutIssue[] = [];
  if (datasets.length === 0) issues.push({ place: name, message: "no process has datasets" });
  for (const [k, { dataset, place, trigger }] of datasets.entries()) {
    const read = await readFolderPair(files, folderOf(name), dataset, defaultPrompt, place);
    const word = dataset.trigger_word || trigger || "";
    const prompted = read.entries.map((entry) => ({ ...entry, prompt: withTrigger(entry.prompt, word) }));
    const prefix = datasets.length > 1 ? `${k}/` : "";
    addRepeated({ entries, issues }, { entries: prompted, issues: read.issues }, { prefix, repeats: dataset.num_repeats ?? 1, place });
  }
  return {
    ...layout,
    entries,
    issues,
    notes: unreadKeys(
      name,
      datasets.map((d) => d.dataset),
      READ,
      QUIET,
    ),
  };
}

async function readFolderPair(
  files: Files,
  folder: string,
  dataset: z.infer<typeof Dataset>,
  defaultPrompt: string,
  place: string,
): Promise<Pick<Layout, "entries" | "issues">> {
  const path = dataset.folder_path || dataset.dataset_path;
  if (!path) return { entries: [], issues: [{ place, message: "it names no folder_path" }] };
  const slots = typeof dataset.control_path === "string" ? [dataset.control_path] : (dataset.control_path ?? []);
  const numbered = [dataset.control_path_1, dataset.control_path_2, dataset.control_path_3].flatMap((each) => each || []);
  const targets = besides(folder, `${path}/`);
  const controls = [...slots, ...numbered].map((each) => besides(folder, `${each}/`));
  const names = new Set<string>();
  for (const each of [targets, ...controls]) for (const name of await files.listInputs(each.replace(/\/$/, "") || ".")) names.add(name);
  const extension = dataset.caption_ext || "txt";
  const captionExtension = extension.startsWith(".") ? extension : `.${extension}`;
  const caption = dataset.default_caption || defaultPrompt;
  return pairFolders(files, [...names].sort(), { targets, controls, captionExtension }, caption);
}

/** As ai-toolkit does: the word takes the place of [trigger] and [name], or comes first where it is not named. */
function withTrigger(prompt: string, trigger: string): string {
  const replaced = prompt.replace(/\[(?:trigger|name)\]/g, () => trigger).trim();
  return trigger === "" || replaced.includes(trigger) ? replaced : `${trigger} ${replaced}`.trim();
}
