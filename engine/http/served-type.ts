// The media type a file is served with: never one that a browser could run or render as a page.

/** Types that are shown in the page; everything else is an attachment. */
const INLINE: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  txt: "text/plain; charset=utf-8",
  log: "text/plain; charset=utf-8",
  md: "text/plain; charset=utf-8",
  csv: "text/plain; charset=utf-8",
  jsonl: "text/plain; charset=utf-8",
  json: "application/json; charset=utf-8",
};

export const SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'";

/** Headers of a user's file. @param name its last part */
export function fileHeaders(name: string, download: boolean): Readonly<Record<string, string>> {
  const extension = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  const type = Object.hasOwn(INLINE, extension) ? INLINE[extension] : undefined;
  // RFC 6266 with the plain form for old readers; quotes, backslashes and controls can't get in.
  const ascii = name.replace(/[^A-Za-z0-9._ -]/g, "_");
  const attachment = `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`;
  return {
    "Content-Type": type ?? "application/octet-stream",
    ...((type === undefined || download) && { "Content-Disposition": attachment }),
    "Content-Security-Policy": SANDBOX,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
  };
}
