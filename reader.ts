// The child that reads strangers' files for the server: pictures, workflows inside pictures, headers of models.
import { readFile } from "node:fs/promises";
import { findWorkflow } from "./engine/app/find-workflow.ts";
import { exportTraining } from "./engine/app/training/export-training.ts";
import { serveReader } from "./engine/host/reader-process.ts";
import { writeAtomic } from "./engine/store/atomic-write.ts";
import { ModelFolders } from "./engine/store/model-folders.ts";
import { describeModel } from "./nodes/onnx/describe-model.ts";
import { maskedPicture } from "./nodes/shared/pictures/masked-picture.ts";
import { checkPicture, thumbnail } from "./nodes/shared/pictures/thumbnail.ts";

serveReader({
  thumbnail: async ({ path, width, opaque }) => thumbnail(await readFile(path), "the picture", { width, opaque }),
  masked: async ({ path, name, mask, profile }) => maskedPicture(await readFile(path), name, mask, profile),
  picture: ({ bytes, name }) => checkPicture(bytes, name),
  workflow: async ({ bytes }) => findWorkflow(bytes),
  lora: async ({ directory, update, format, to }) => {
    const { name, bytes } = await exportTraining(directory, { ...(update !== undefined && { update }), format, dtype: "bfloat16" });
    await writeAtomic(to, bytes);
    return { name };
  },
  model: ({ models, folder, name }) => describeModel(new ModelFolders(models), folder, name),
});
