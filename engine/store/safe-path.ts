// Names come from workflows of strangers: a path that leaves its root is never opened.
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve, sep, win32 } from "node:path";
import { AppError } from "../base/errors.ts";
import { codeOf } from "./file-system.ts";
import { storeError } from "./store-error.ts";

const MAX_LENGTH = 1024;
/** As many links as Linux follows. */
const MAX_HOPS = 40;

/** Whether a name is a plain relative path downwards: no `..`, no drive, no backslash, no control character. */
export function isSafeName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
  if (name.length === 0 || name.length > MAX_LENGTH || /[\u0000-\u001f\u007f\\]/.test(name)) return false;
  if (isAbsolute(name) || win32.isAbsolute(name) || /^[A-Za-z]:/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part.length <= 255);
}

/**
 * The path of a name below a root that is written to, symbolic links resolved as far as it exists.
 * @throws AppError PATH_UNSAFE when the name, or a link on its way, leads out of the root
 */
export async function resolveInside(root: string, name: string): Promise<string> {
  if (!isSafeName(name)) throw unsafeName(name);
  const realRoot = await realpath(root).catch((error: unknown) => {
    throw storeError("open", root, error);
  });
  const parts = name.split("/");
  for (let existing = parts.length; existing >= 0; existing--) {
    const path = join(realRoot, ...parts.slice(0, existing));
    let real: string;
    try {
      real = await realpath(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT" && !(await isDangling(path))) continue;
      throw codeOf(error) === "ENOENT" || codeOf(error) === "ELOOP" ? leadsOut(name) : storeError("open", path, error);
    }
    if (!isInside(realRoot, real)) throw leadsOut(name);
    return join(real, ...parts.slice(existing));
  }
  throw leadsOut(name);
}

/**
 * The path of a name below a folder that the user chose for reading (models, inputs), links not resolved; undefined when nothing is there.
 * Links that lie there are followed wherever they lead: the user made them, and a workflow can only name them.
 * @throws AppError PATH_UNSAFE when the name itself leads out, STORE_LINK when it is a link to nothing, STORE_* when it cannot be told what is there
 */
export async function findBelow(root: string, name: string): Promise<string | undefined> {
  if (!isSafeName(name)) throw unsafeName(name);
  const path = join(root, name);
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (await isDangling(path))
      throw new AppError("STORE_LINK", `${path} is a link to what does not exist`, { hint: "mend or remove the link", cause: error });
    if (!["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(codeOf(error))) throw storeError("open", path, error);
    return otherSpelling(root, name);
  }
}

/** The path of a name whose accents are written another way: macOS stores é as two characters (NFD), most others as one (NFC). */
async function otherSpelling(root: string, name: string): Promise<string | undefined> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII has one spelling
  if (/^[\u0000-\u007f]*$/.test(name)) return undefined;
  let path = root;
  for (const part of name.split("/")) {
    const wanted = part.normalize("NFC");
    const there = (await readdir(path).catch(() => [])).find((each) => each.normalize("NFC") === wanted);
    if (there === undefined) return undefined;
    path = join(path, there);
  }
  return path;
}

/** A path, and what it leads to link by link. Files that belong to a linked file may be beside the link or beside any of its targets. */
export async function linkHops(path: string): Promise<readonly string[]> {
  const hops = [path];
  for (let at = path; hops.length < MAX_HOPS; ) {
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) break;
    at = resolve(dirname(at), target);
    hops.push(at);
  }
  return hops;
}

/** Whether a real path is the root or below it. Both must be resolved already. */
export function isInside(realRoot: string, real: string): boolean {
  return real === realRoot || real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep);
}

/**
 * Opens a regular file for reading and nothing else: not a link, not a pipe that would block, not a device.
 * @throws AppError PATH_UNSAFE, STORE_*
 */
export async function openRegular(path: string): Promise<{ readonly file: FileHandle; readonly size: number; readonly mtimeMs: number }> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (codeOf(error) === "ELOOP") throw new AppError("PATH_UNSAFE", `${path} is a symbolic link`);
    throw storeError("open", path, error);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new AppError("PATH_UNSAFE", `${path} is not a regular file`, { hint: "name a file, not a folder or device" });
    return { file, size: stat.size, mtimeMs: stat.mtimeMs };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A symbolic link whose target does not exist: writing through it would create the target. */
async function isDangling(path: string): Promise<boolean> {
  return lstat(path).then(
    (s) => s.isSymbolicLink(),
    () => false,
  );
}

function unsafeName(name: string): AppError {
  return new AppError("PATH_UNSAFE", `${shown(name)} is not a plain relative path`, {
    hint: "use a name without .., backslashes or a leading slash",
  });
}

function leadsOut(name: string): AppError {
  return new AppError("PATH_UNSAFE", `${shown(name)} leads out of its folder through a symbolic link`, {
    hint: "copy the file into the folder, or name the folder it is in",
  });
}

function shown(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 97)}...` : name);
}
