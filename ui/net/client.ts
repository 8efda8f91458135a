// One typed call per route of engine/api. Every failure is an ApiFailure with a code, a sentence and a remedy.
import { z } from "zod";
import { errorBody } from "../../engine/api/error-body.ts";
import { type Answer, type Asked, CLIENT_HEADER, type Route, type RouteName, routes, routeUrl } from "../../engine/api/routes.ts";
import type { Issue } from "../../engine/base/issues.ts";
import { parseJson, stringifyJson } from "../../engine/base/json.ts";

export class ApiFailure extends Error {
  readonly code: string;
  readonly hint: string;
  readonly issues: readonly Issue[];
  constructor(code: string, message: string, hint = "", issues: readonly Issue[] = []) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.issues = issues;
  }
}

const LIMITS = { maxCharacters: 64 << 20, maxDepth: 200 };

type Without<N extends RouteName> = { readonly [K in keyof Asked<N> as undefined extends Asked<N>[K] ? never : K]: Asked<N>[K] } & {
  readonly [K in keyof Asked<N> as undefined extends Asked<N>[K] ? K : never]?: Asked<N>[K];
};

/** @throws ApiFailure: what the server says, SERVER_GONE when it can't be reached, SERVER_ANSWER when it answers something else */
export async function call<N extends RouteName>(name: N, asked: Without<N>, signal?: AbortSignal): Promise<Answer<N>> {
  const route: Route = routes[name];
  const { params, query, body } = asked as {
    readonly params?: Record<string, string>;
    readonly query?: Record<string, unknown>;
    readonly body?: unknown;
  };
  const url = routeUrl(route, params ?? {}, query ?? {});
  let response: Response;
  try {
    response = await fetch(url, {
      method: route.method,
      credentials: "same-origin",
      ...(signal && { signal }),
      headers: {
        [CLIENT_HEADER]: "1",
        ...(body !== undefined && { "content-type": route.body === "bytes" ? "application/octet-stream" : "application/json" }),
      },
      ...(body !== undefined && { body: body instanceof Uint8Array ? new Uint8Array(body) : stringifyJson(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiFailure("SERVER_GONE", "The server can't be reached.", "Start it again with npm start; nothing here is lost.");
  }
  if (route.answer === "bytes" && response.ok) return new Uint8Array(await response.arrayBuffer()) as Answer<N>;
  const text = await response.text();
  let json: unknown;
  try {
    json = parseJson(text === "" ? "{}" : text, LIMITS);
  } catch {
    throw new ApiFailure(
      "SERVER_ANSWER",
      `The server answered ${response.status} with something that is not JSON.`,
      "Reload the page; it may be older than the server.",
    );
  }
  if (!response.ok) {
    const parsed = errorBody.safeParse(json);
    if (parsed.success)
      throw new ApiFailure(parsed.data.error.code, parsed.data.error.message, parsed.data.error.hint, parsed.data.error.issues ?? []);
    throw new ApiFailure("SERVER_ANSWER", `The server answered ${response.status}.`, "Reload the page; it may be older than the server.");
  }
  const parsed = (route.answer === "bytes" ? z.unknown() : route.answer).safeParse(json);
  if (!parsed.success)
    throw new ApiFailure(
      "SERVER_ANSWER",
      `The answer to ${name} can't be read: ${z.prettifyError(parsed.error)}`,
      "Reload the page; it may be older than the server.",
    );
  return parsed.data as Answer<N>;
}
