// The table of routes, mounted: every part of a request is parsed before a handler sees it.
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Express, Request, Response } from "express";
import type { z } from "zod";
import { type Answer, MAX_JSON_BYTES, MAX_UPLOAD_BYTES, type Route, type RouteName, routes } from "../api/routes.ts";
import { AppError } from "../base/errors.ts";
import { stringifyJson } from "../base/json.ts";
import { codeOf } from "../store/file-system.ts";
import { sendError } from "./http-error.ts";
import { readBytes, readJson } from "./read-body.ts";

type Output<T, Else> = T extends z.ZodType ? z.output<T> : Else;
type Part<R, K extends string> = K extends keyof R ? Output<R[K], undefined> : undefined;

/** A request whose every part is what the route says. */
export interface Asking<N extends RouteName> {
  readonly params: Part<(typeof routes)[N], "params">;
  readonly query: Part<(typeof routes)[N], "query">;
  readonly body: (typeof routes)[N] extends { readonly body: "bytes" } ? Uint8Array : Part<(typeof routes)[N], "body">;
}

/** A file, or bytes, in place of JSON. */
export interface BytesAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Uint8Array | { readonly file: FileHandle; readonly bytes: number };
  /** Tag of this content: answered 304 when the client has it. */
  readonly etag: string;
}

export type Handlers = {
  readonly [N in RouteName]: (
    asking: Asking<N>,
  ) =>
    | Promise<(typeof routes)[N]["answer"] extends "bytes" ? BytesAnswer : Answer<N>>
    | ((typeof routes)[N]["answer"] extends "bytes" ? BytesAnswer : Answer<N>);
};

type AnyHandler = (asking: { readonly params: unknown; readonly query: unknown; readonly body: unknown }) => unknown;

/** @param onFault called with every error that is not an AppError, which is a bug in this program */
export function mount(app: Express, handlers: Handlers, onFault: (error: unknown) => void): void {
  const table: Readonly<Record<string, Route>> = routes;
  // `:name` would match what a later route spells out, so the more exact route comes first.
  const order = Object.entries(table).sort(([, a], [, b]) => Number(/[:*]/.test(a.path)) - Number(/[:*]/.test(b.path)));
  for (const [name, route] of order) {
    const handler = handlerOf(handlers, name);
    const path = route.path;
    const answer = async (request: Request, response: Response): Promise<void> => {
      try {
        await reply(request, response, route, await handler(await read(request, route)));
      } catch (error) {
        if (!(error instanceof AppError)) onFault(error);
        // The rest of a refused body is not worth reading.
        if (!request.complete) response.set("Connection", "close");
        sendError(response, error);
      }
    };
    if (route.method === "GET") app.get(path, answer);
    else if (route.method === "POST") app.post(path, answer);
    else if (route.method === "PUT") app.put(path, answer);
    else app.delete(path, answer);
  }
}

function handlerOf(handlers: Handlers, name: string): AnyHandler {
  const found = Object.entries(handlers).find(([own]) => own === name)?.[1];
  if (!found) throw new AppError("INTERNAL", `route ${name} has no handler`);
  return found as AnyHandler;
}

async function read(
  request: Request,
  route: Route,
): Promise<{ readonly params: unknown; readonly query: unknown; readonly body: unknown }> {
  const params = route.params && parsePart("path", route.params, namedParams(request));
  const query = route.query && parsePart("query", route.query, singleValues(request.query));
  if (route.body === "bytes") return { params, query, body: await readBytes(request, MAX_UPLOAD_BYTES, "UPLOAD_TOO_LARGE") };
  const body = route.body && parsePart("body", route.body, await readJson(request, MAX_JSON_BYTES));
  return { params, query, body };
}

/** A `*name` arrives in parts that form one name; a part with a slash of its own is refused. */
function namedParams(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => {
      const parts = Array.isArray(value) ? value : [value];
      if (parts.some((part) => /[/\\]/.test(part)))
        throw new AppError("PATH_UNSAFE", `${JSON.stringify(parts.join("/").slice(0, 100))} is not a plain name`, {
          hint: "use a name without slashes or backslashes in its parts",
        });
      return [name, parts.join("/")];
    }),
  );
}

/** `a=1&a=2` is refused: nobody can tell which of them counts. */
function singleValues(query: Request["query"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      if (typeof value !== "string") throw new AppError("REQUEST_INVALID", `${name.slice(0, 100)} is given more than once`);
      return [name, value];
    }),
  );
}

function parsePart(what: string, schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0];
  const at = [what, ...(first?.path ?? []).map(String)].join(".").slice(0, 300);
  throw new AppError("REQUEST_INVALID", `${at}: ${first?.message ?? "it is not what it should be"}`, {
    hint: "see engine/api/routes.ts",
    details: { path: (first?.path ?? []).map((part) => (typeof part === "number" ? part : String(part))) },
  });
}

async function reply(request: Request, response: Response, route: Route, answer: unknown): Promise<void> {
  if (route.answer !== "bytes") {
    response.set("Cache-Control", "no-store").type("application/json").send(stringifyJson(answer));
    return;
  }
  const { headers, content, etag } = answer as BytesAnswer;
  response.set({ ...headers, ETag: etag, "Cache-Control": "private, no-cache" });
  const isKnown = request.headers["if-none-match"] === etag;
  if (content instanceof Uint8Array) {
    if (isKnown) response.status(304).end();
    else response.send(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
    return;
  }
  try {
    if (isKnown) response.status(304).end();
    else await sendFile(request, response, content);
  } finally {
    await content.file.close().catch(() => undefined);
  }
}

async function sendFile(
  request: Request,
  response: Response,
  { file, bytes }: { readonly file: FileHandle; readonly bytes: number },
): Promise<void> {
  const range = rangeOf(request, bytes);
  response.set("Accept-Ranges", "bytes");
  if (range === "unsatisfiable") {
    response.status(416).set("Content-Range", `bytes */${bytes}`).end();
    return;
  }
  const [start, end] = range ?? [0, bytes - 1];
  if (range) response.status(206).set("Content-Range", `bytes ${start}-${end}/${bytes}`);
  response.set("Content-Length", String(Math.max(0, end - start + 1)));
  if (request.method === "HEAD" || bytes === 0) response.end();
  else
    await pipeline(file.createReadStream({ start, end, autoClose: false }), response).catch((error: unknown) => {
      // A client that goes away is not an error.
      if (!/^(ERR_STREAM_\w+|ECONNRESET|EPIPE)$/.test(codeOf(error))) throw error;
    });
}

function rangeOf(request: Request, bytes: number): readonly [number, number] | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(request.headers.range ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [, from = "", to = ""] = match;
  const start = from === "" ? Math.max(0, bytes - Number(to)) : Number(from);
  const end = from === "" || to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1);
  return start > end || start >= bytes ? "unsatisfiable" : [start, end];
}
