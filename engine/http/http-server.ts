// HTTP and websocket around the services: guards first, then the table of routes, then the page.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { CLIENT_HEADER } from "../api/routes.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { stringifyJson } from "../base/json.ts";
import { givenToken, sameToken, tokenCookie } from "./access-token.ts";
import type { EventHub } from "./event-hub.ts";
import { type Asker, allowedHosts, guard } from "./guards.ts";
import { bodyOf, sendError, statusOf } from "./http-error.ts";
import { type Handlers, mount } from "./mount.ts";

export interface HttpServerOptions {
  readonly handlers: Handlers;
  readonly hub: EventHub;
  /** Folder of the page's bundle; absent = only the API is served. */
  readonly page?: string;
  readonly host: string;
  /** Port; 0 = any free one. */
  readonly port: number;
  /** Further host names it answers to. */
  readonly names?: readonly string[];
  /** Token that every request needs; absent = only loopback is trusted. */
  readonly token?: string;
  /** Reports a bug of ours, for the log. */
  readonly onFault: (error: unknown) => void;
}

export interface RunningServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

const MAX_URL = 8192;
/** A frame larger than this ends the connection: clients have nothing to send. */
const MAX_FRAME = 4096;

/** The page's policy: its own files only, no inline code, no eval. Scripts set styles on elements, which needs no inline style sheet. */
const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** @throws AppError SERVER_PORT when the port is taken */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningServer> {
  let hosts: ReadonlySet<string> = new Set();
  const app = express();
  app.disable("x-powered-by").set("etag", false).set("query parser", "simple").set("strict routing", true);
  const check = (request: IncomingMessage, isUpgrade: boolean): void => {
    if ((request.url ?? "").length > MAX_URL)
      throw new AppError("URL_TOO_LONG", `the address is longer than ${MAX_URL} characters`, { hint: "send what is long in the body" });
    guard(askerOf(request, isUpgrade), hosts);
  };
  app.use((request: Request, response: Response, next: NextFunction) => {
    response.set({
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "X-Frame-Options": "DENY",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Content-Security-Policy": PAGE_CSP,
    });
    try {
      check(request, false);
      if (options.token !== undefined && !admit(request, response, options.token)) return;
      next();
    } catch (error) {
      response.set("Connection", "close");
      sendError(response, error);
    }
  });
  mount(app, options.handlers, options.onFault);
  app.use("/api", (_request: Request, response: Response) => {
    sendError(response, new AppError("ROUTE_NOT_FOUND", "there is no such route", { hint: "see engine/api/routes.ts" }));
  });
  if (options.page !== undefined) servePage(app, options.page);
  app.use((_request: Request, response: Response) => {
    sendError(response, new AppError("ROUTE_NOT_FOUND", "there is nothing at this address", { hint: "open /" }));
  });
  // Express recognises an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    // What its own parsers throw (a broken percent sign) carries a status.
    const status = z.object({ status: z.number().min(400).max(499) }).safeParse(error);
    if (!status.success) options.onFault(error);
    sendError(response, status.success ? new AppError("REQUEST_INVALID", "the address is not well formed") : error);
  });

  const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 300_000, headersTimeout: 20_000 }, app);
  server.on("clientError", refuseBroken);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME, perMessageDeflate: false, clientTracking: false });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    try {
      check(request, true);
      if (options.token !== undefined && !sameToken(givenToken(request.headers), options.token)) throw tokenRequired();
      const since = sinceOf(request.url ?? "");
      options.hub.checkRoom();
      sockets.handleUpgrade(request, socket, head, (client) => options.hub.add(client, since));
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  });
  const port = await listen(server, options.host, options.port);
  hosts = allowedHosts(options.host, port, options.names);
  const pings = setInterval(() => options.hub.ping(), 30_000).unref();
  const shown = options.host === "0.0.0.0" || options.host === "::" || options.host === "127.0.0.1" ? "localhost" : options.host;
  return {
    port,
    url: `http://${shown.includes(":") ? `[${shown}]` : shown}:${port}/`,
    async close() {
      clearInterval(pings);
      options.hub.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 500).unref();
      await closed;
    },
  };
}

function askerOf(request: IncomingMessage, isUpgrade: boolean): Asker {
  const one = (value: string | readonly string[] | undefined): string | undefined => (typeof value === "string" ? value : value?.join(","));
  return {
    method: request.method ?? "",
    path: (request.url ?? "").split("?")[0] ?? "",
    isUpgrade,
    host: request.headers.host,
    origin: request.headers.origin,
    secFetchSite: one(request.headers["sec-fetch-site"]),
    hasClientHeader: request.headers[CLIENT_HEADER] !== undefined,
  };
}

/** `?token=…` of the printed address becomes a cookie, and disappears from the address bar. */
function admit(request: Request, response: Response, token: string): boolean {
  const query = request.query.token;
  if (request.method === "GET" && request.path === "/" && typeof query === "string" && sameToken(query, token)) {
    response.set("Set-Cookie", tokenCookie(token)).redirect(303, "/");
    return false;
  }
  if (sameToken(givenToken(request.headers), token)) return true;
  throw tokenRequired();
}

function tokenRequired(): AppError {
  return new AppError("TOKEN_REQUIRED", "this server needs its token", { hint: "open the address printed at its start" });
}

/** @throws AppError REQUEST_INVALID, ROUTE_NOT_FOUND */
function sinceOf(url: string): number | undefined {
  const [path, query = ""] = url.split("?");
  if (path !== "/api/events") throw new AppError("ROUTE_NOT_FOUND", "there is no such socket", { hint: "connect to /api/events" });
  const text = new URLSearchParams(query).get("since");
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new AppError("REQUEST_INVALID", "query.since: it is no sequence number");
  return Number(text);
}

function refuseUpgrade(socket: Duplex, error: unknown): void {
  const body = stringifyJson(bodyOf(error));
  const status = statusOf(error);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Answers what is not HTTP, or has headers that are too large. */
function refuseBroken(error: Error, socket: Duplex): void {
  const isLarge = "code" in error && error.code === "HPE_HEADER_OVERFLOW";
  const answer = isLarge
    ? new AppError("HEADERS_TOO_LARGE", "the headers are larger than 16 KiB")
    : new AppError("REQUEST_INVALID", "this is not well-formed HTTP");
  if (!socket.writable) return;
  const body = stringifyJson(bodyOf(answer));
  socket.end(
    `HTTP/1.1 ${isLarge ? "431 Too Large" : "400 Bad Request"}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function servePage(app: Express, folder: string): void {
  app.use(
    express.static(folder, {
      index: ["index.html"],
      dotfiles: "ignore",
      redirect: false,
      setHeaders(response: Response, path: string) {
        // The bundle's names hold a hash of their content.
        response.set("Cache-Control", /-[\w-]{8,}\.\w+$/.test(path) ? "public, max-age=31536000, immutable" : "no-cache");
      },
    }),
  );
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const { message } = toAppError(error);
      const isTaken = "code" in error && error.code === "EADDRINUSE";
      reject(
        new AppError("SERVER_PORT", isTaken ? `port ${port} is taken` : `cannot listen on ${host}:${port}: ${message}`, {
          hint: "choose another with --port, or end the program that has it",
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
