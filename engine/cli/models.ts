import { modelRoots } from "../app/places.ts";
import { byteCount } from "../base/byte-count.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { type Command, EXIT } from "./command.ts";
import { readArgs } from "./read-args.ts";

/** The models that were found, by folder. */
export const models: Command = async (args, program) => {
  const { values } = readArgs(
    args,
    { models: { type: "string", multiple: true }, json: { type: "boolean", default: false } },
    [0, 0],
    "graph models [--models DIR] [--json]",
  );
  const roots = modelRoots(program, values.models);
  const found = await new ModelFolders({ roots }).found();
  if (values.json) {
    console.log(JSON.stringify({ roots, models: found }, null, 2));
    return EXIT.ok;
  }
  const width = Math.max(0, ...found.map((m) => m.name.length));
  let folder = "";
  for (const model of found) {
    if (model.folder !== folder) console.log(model.folder);
    folder = model.folder;
    console.log(
      `  ${model.name.padEnd(width)}  ${model.problem === undefined ? byteCount(model.bytes) : `cannot be used: ${model.problem}`}`,
    );
  }
  if (found.length === 0) console.log("no models are found");
  console.log(`searched: ${roots.join(", ")}`);
  return EXIT.ok;
};
