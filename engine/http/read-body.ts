import type { Request } from "express";
import { AppError } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";

/** Deeper than a workflow's own limit, whose message says more. */
const MAX_DEPTH = 100;

/** The body's bytes. @throws AppError `code` as soon as it is clear that there are more than `limit` */
export async function readBytes(request: Request, limit: number, code: string): Promise<Uint8Array> {
  const refuse = (): AppError =>
    new AppError(code, `the body is larger than ${limit} bytes`, { hint: "send less: split the workflow, or scale the picture down" });
  if (Number(request.headers["content-length"] ?? 0) > limit) throw refuse();
  const chunks: Buffer[] = [];
  let size = 0;
  const aborted = (cause: unknown): never => {
    throw new AppError("REQUEST_ABORTED", "the client went away before its request was whole", { cause });
  };
  for await (const chunk of withErrors(request, aborted)) {
    if (!Buffer.isBuffer(chunk)) throw new AppError("BODY_TYPE", "the body is not bytes");
    size += chunk.length;
    if (size > limit) throw refuse();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** A JSON body; an empty one is {}. 64-bit seeds stay exact. @throws AppError BODY_TYPE, BODY_TOO_LARGE, JSON_* */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  const type = request.headers["content-type"] ?? "";
  const bytes = await readBytes(request, limit, "BODY_TOO_LARGE");
  if (bytes.length === 0) return {};
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new AppError("BODY_TYPE", "the body must be application/json", { hint: "set the header Content-Type: application/json" });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("JSON_SYNTAX", "the body is not UTF-8 text", { cause });
  }
  return parseJson(text, { maxCharacters: limit, maxDepth: MAX_DEPTH });
}

/** What a stream gives; its own errors go through `onError`. */
async function* withErrors(stream: Request, onError: (cause: unknown) => never): AsyncGenerator<unknown> {
  const iterator: AsyncIterator<unknown> = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next().catch(onError);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
