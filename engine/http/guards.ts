// Who may ask for what. Pure, so that the matrix of origins can be walked in a test.
import { AppError } from "../base/errors.ts";

export interface Asker {
  readonly method: string;
  /** The path, for what is a page and what is data. */
  readonly path: string;
  readonly isUpgrade: boolean;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  readonly hasClientHeader: boolean;
}

/** Requests that change nothing. */
const SAFE = new Set(["GET", "HEAD"]);

/**
 * The names this server answers to, with its port: another name that leads here is a DNS rebinding.
 * @param bound the addresses it listens on @param more further names, as a person gave them
 */
export function allowedHosts(bound: string, port: number, more: readonly string[] = []): ReadonlySet<string> {
  const names = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    ...(bound === "0.0.0.0" || bound === "::" ? [] : [bracketed(bound)]),
    ...more.map(bracketed),
  ];
  // Port 80 is left out by browsers.
  return new Set(names.flatMap((name) => [`${name.toLowerCase()}:${port}`, ...(port === 80 ? [name.toLowerCase()] : [])]));
}

/** An IPv6 address is written in brackets. */
function bracketed(name: string): string {
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
}

/**
 * Host must be one of ours. Requests with effects, and websockets, must come from our own page (exact Origin; Sec-Fetch-Site same-origin
 * where the browser sends it) or from a program that is not a browser. Data is not served into pages of other sites.
 * @throws AppError HOST_NOT_ALLOWED, ORIGIN_NOT_ALLOWED, CLIENT_HEADER_MISSING
 */
export function guard(asker: Asker, hosts: ReadonlySet<string>): void {
  const { method, path, isUpgrade, host, origin, secFetchSite, hasClientHeader } = asker;
  if (host === undefined || !hosts.has(host.toLowerCase()))
    throw new AppError("HOST_NOT_ALLOWED", `this server does not answer to the name ${JSON.stringify((host ?? "").slice(0, 200))}`, {
      hint: "use the address printed at its start, or start it with --allow-host NAME",
    });
  const refuse = (what: string): AppError =>
    new AppError("ORIGIN_NOT_ALLOWED", `a request from ${what} is refused`, { hint: "open the page at this server's own address" });
  if (origin !== undefined && origin !== `http://${host.toLowerCase()}`) throw refuse(`the origin ${JSON.stringify(origin.slice(0, 200))}`);
  const hasEffects = !SAFE.has(method) || isUpgrade;
  const isData = path.startsWith("/api/");
  if (secFetchSite !== undefined && secFetchSite !== "same-origin") {
    // A person may follow a link to the page, or type an address.
    const isTyped = secFetchSite === "none" && !hasEffects;
    const isLink = !isData && !hasEffects && (secFetchSite === "cross-site" || secFetchSite === "same-site");
    if (!isTyped && !isLink) throw refuse(`another site (Sec-Fetch-Site: ${JSON.stringify(secFetchSite.slice(0, 40))})`);
  }
  if (!SAFE.has(method) && !hasClientHeader)
    throw new AppError("CLIENT_HEADER_MISSING", "a request that changes something must carry the header x-whos-who", {
      hint: "send the header x-whos-who: 1",
    });
}
