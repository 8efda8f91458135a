import { readdir } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { PreferenceFile } from "../app/preference-file.ts";
import { AppError } from "../base/errors.ts";
import { isPictureName } from "../formats/picture-format.ts";
import { type Command, EXIT } from "./command.ts";
import { readArgs } from "./read-args.ts";

const USAGE = "graph prefer DIR [DIR] [--out FILE] [--all first|second]";
export interface PicturePair {
  readonly first: string;
  readonly second: string;
  /** The name that both have below their folders. */
  readonly name: string;
}

/**
 * Comparisons between two runs' pictures of equal name, as the JSON Lines file that PreferenceDataset reads: asked one by one with keys, or all at
 * once with --all. What was answered is on disk at once; running it again continues where it ended.
 */
export const prefer: Command = async (args) => {
  const { values, positionals } = readArgs(args, { out: { type: "string" }, all: { type: "string" } }, [1, 2], USAGE);
  if (values.all !== undefined && values.all !== "first" && values.all !== "second")
    throw new AppError("USAGE_OPTION", `--all takes first or second, not ${values.all}`, { hint: USAGE });
  const [first, second] = await twoFolders(positionals.map((p) => resolve(p)));
  const pairs = await picturePairs(first, second);
  const out = resolve(values.out ?? join(commonFolder(first, second), "preferences.jsonl"));
  const folder = dirname(out);
  for (const place of [first, second])
    if (relative(folder, place).split(sep)[0] === "..")
      throw new AppError("USAGE_OPTION", `${out} does not lie above ${place}: its names would lead out of its folder`, {
        hint: `--out ${join(commonFolder(first, second), "preferences.jsonl")}`,
      });
  const file = await PreferenceFile.open(out);
  const open = pairs.filter((pair) => !file.has(nameIn(folder, pair.first), nameIn(folder, pair.second)));
  console.log(`${pairs.length} pairs of ${first} (1) and ${second} (2); ${pairs.length - open.length} are compared already`);
  let added = 0;
  const decide = async (pair: PicturePair, winner: "first" | "second"): Promise<void> => {
    const [win, lose] = winner === "first" ? [pair.first, pair.second] : [pair.second, pair.first];
    if (await file.add({ image_win: nameIn(folder, win), image_lose: nameIn(folder, lose), source: pair.name })) added++;
  };
  if (values.all !== undefined) for (const pair of open) await decide(pair, values.all);
  else await askAll(open, decide);
  console.log(`${added} comparisons added, ${file.comparisons.length} in ${out}`);
  return EXIT.ok;
};

/** One folder with exactly two folders in it, or two folders. */
async function twoFolders(given: readonly string[]): Promise<[string, string]> {
  const [only = "", other] = given;
  if (other !== undefined) return [only, other];
  const inside = (await entriesOf(only))
    .filter((e) => e.isDirectory() && !e.name.startsWith("."))
    .map((e) => join(only, e.name))
    .sort();
  const [first, second] = inside;
  if (first === undefined || second === undefined || inside.length > 2)
    throw new AppError("USAGE_ARGUMENTS", `${only} holds ${inside.length} folders: two runs' outputs are compared`, { hint: USAGE });
  return [first, second];
}

/** Pictures that both folders have under the same name, at any depth. @throws AppError USAGE_ARGUMENTS when there is none */
export async function picturePairs(first: string, second: string): Promise<PicturePair[]> {
  const [left, right] = [await picturesBelow(first, ""), new Set(await picturesBelow(second, ""))];
  const pairs = left.filter((name) => right.has(name)).map((name) => ({ first: join(first, name), second: join(second, name), name }));
  if (pairs.length === 0)
    throw new AppError(
      "USAGE_ARGUMENTS",
      `${first} (${left.length} pictures) and ${second} (${right.size}) have no picture of equal name`,
      {
        hint: "run one workflow twice with different --out: its pictures have equal names",
      },
    );
  return pairs;
}

async function picturesBelow(folder: string, below: string): Promise<string[]> {
  const out: string[] = [];
  for (const entry of await entriesOf(join(folder, below))) {
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    // Previews are kept in a folder of that name.
    if (entry.name.startsWith(".") || (below === "" && entry.name === "temp")) continue;
    if (entry.isDirectory()) out.push(...(await picturesBelow(folder, name)));
    else if (isPictureName(entry.name)) out.push(name);
  }
  return out.sort();
}

async function entriesOf(folder: string) {
  return readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new AppError("USAGE_ARGUMENTS", `${folder} is no folder that can be read`, { hint: USAGE, cause });
  });
}

function commonFolder(a: string, b: string): string {
  let folder = dirname(a);
  while (relative(folder, b).split(sep)[0] === "..") folder = dirname(folder);
  return folder;
}

function nameIn(folder: string, path: string): string {
  return relative(folder, path).split(sep).join("/");
}

/** 1 or 2: the better one; s: skip; q: end. */
async function askAll(
  pairs: readonly PicturePair[],
  decide: (pair: PicturePair, winner: "first" | "second") => Promise<void>,
): Promise<void> {
  const { stdin } = process;
  if (pairs.length === 0) return;
  if (!stdin.isTTY)
    throw new AppError("USAGE_OPTION", "there is no terminal to answer in", {
      hint: "--all first or --all second prefers one run everywhere",
    });
  stdin.setRawMode(true);
  stdin.resume();
  const key = () => new Promise<string>((done) => stdin.once("data", (bytes) => done(bytes.toString("utf8"))));
  try {
    for (const [i, pair] of pairs.entries()) {
      console.log(`${i + 1}/${pairs.length}\n  1 ${pair.first}\n  2 ${pair.second}\n  which looks better? 1, 2, s = skip, q = end`);
      let pressed = await key();
      while (!["1", "2", "s", "q", "\u0003"].includes(pressed)) pressed = await key();
      if (pressed === "q" || pressed === "\u0003") return;
      if (pressed !== "s") await decide(pair, pressed === "1" ? "first" : "second");
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}
