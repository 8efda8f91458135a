// The token of a server that others can reach: whoever has it may do everything.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomic } from "../store/atomic-write.ts";

const COOKIE = "whos-who-token";

/** From the data folder, made at the first start; readable by its owner only. */
export async function loadToken(folder: string): Promise<string> {
  const path = join(folder, "token");
  const known = (await readFile(path, "utf8").catch(() => "")).trim();
  const token = /^[\w-]{43}$/.test(known) ? known : randomBytes(32).toString("base64url");
  if (token !== known) await writeAtomic(path, new TextEncoder().encode(`${token}\n`));
  await chmod(path, 0o600);
  return token;
}

/** Compares in a time that does not depend on what is wrong. */
export function sameToken(given: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/** The token a request carries: `Authorization: Bearer`, or the cookie of an earlier one. */
export function givenToken(headers: { readonly authorization?: string | undefined; readonly cookie?: string | undefined }): string {
  const bearer = /^Bearer ([\w-]{1,200})$/.exec(headers.authorization ?? "")?.[1];
  const cookie = (headers.cookie ?? "")
    .split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${COOKIE}=`));
  return bearer ?? cookie?.slice(COOKIE.length + 1) ?? "";
}

export function tokenCookie(token: string): string {
  return `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000`;
}
