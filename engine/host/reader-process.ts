import { AppError, toAppError } from "../base/errors.ts";
import { type ReaderParts, type ReaderTask, readerTasks, toReader } from "./reader-tasks.ts";

/** The whole of a reading process: `reader.ts` calls this and nothing else. */
export function serveReader(parts: ReaderParts): void {
  process.on("message", (raw: unknown) => {
    const { id, task, asks } = toReader.parse(raw);
    void perform(parts, task, asks).then(
      (gives) => process.send?.({ id, gives }),
      (error: unknown) => {
        const { code, message, hint } = toAppError(error, "READ_FAILED");
        process.send?.({ id, error: { code, message, ...(hint !== undefined && { hint }) } });
      },
    );
  });
  process.on("disconnect", () => process.exit());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
}

async function perform(parts: ReaderParts, task: string, asks: unknown): Promise<unknown> {
  const known = (Object.keys(readerTasks) as ReaderTask[]).find((name) => name === task);
  switch (known) {
    case "thumbnail":
      return parts.thumbnail(readerTasks.thumbnail.asks.parse(asks));
    case "masked":
      return parts.masked(readerTasks.masked.asks.parse(asks));
    case "picture":
      return parts.picture(readerTasks.picture.asks.parse(asks));
    case "workflow":
      return parts.workflow(readerTasks.workflow.asks.parse(asks));
    case "model":
      return parts.model(readerTasks.model.asks.parse(asks));
    case "lora":
      return parts.lora(readerTasks.lora.asks.parse(asks));
    default:
      throw new AppError("INTERNAL", `there is no task ${task}`);
  }
}
