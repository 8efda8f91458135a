// How many small faults would the tests notice? Changes one place of the source at a time and runs the tests that import it.
//   node tools/mutate.ts FOLDER|FILE|FILE:LINE… [--count 30] [--seed 1] [--exclude GLOB]… [--log FILE]
// Prints every survivor and the share killed, for each argument. It edits files in place and puts them back: run it on a clean checkout.
// --exclude replaces the list of slow tests that are left out. --log appends a line of JSON for each mutant, with the test that killed it.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { randomSource } from "../engine/base/random.ts";

/** One place in a source file and what stands there instead. */
export interface Mutant {
  readonly at: number;
  readonly length: number;
  readonly becomes: string;
}

/** Operators as the formatter writes them: with spaces around, so that no generic or arrow is among them. */
const SWAPS: readonly (readonly [RegExp, string])[] = [
  [/ === /g, " !== "],
  [/ !== /g, " === "],
  [/ < /g, " <= "],
  [/ <= /g, " < "],
  [/ > /g, " >= "],
  [/ >= /g, " > "],
  [/ && /g, " || "],
  [/ \|\| /g, " && "],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/ \* /g, " / "],
  [/ \/ /g, " * "],
  [/ \+= /g, " -= "],
  [/\btrue\b/g, "false"],
  [/\bfalse\b/g, "true"],
  [/\bMath\.max\b/g, "Math.min"],
  [/\bMath\.min\b/g, "Math.max"],
  [/(?<=\()!(?=[\w(])/g, ""],
  [/\.some\(/g, ".every("],
  [/\.every\(/g, ".some("],
  // Not the `?? 0` behind an index, which the compiler asks for and no run reaches.
  [/(?<=[ ([])(?<!\] \?\? )0(?=[,;)\] ])/g, "1"],
  [/(?<=[ ([])1(?=[,;)\] ])/g, "2"],
  [/\bcontinue;/g, ";"],
  [/\bbreak;/g, ";"],
];
/** A statement that is a call or an assignment to a place, alone on its line: left out. */
const STATEMENT = /^ +(?:await )?(?:this\.#?)?[\w#.]+(?:\[[^\]\n]*\])?(?:\([^\n]*\)| [-+]?= [^\n]*);$/gm;

/** Imports, re-exports and types: from the start of a line to the end that the formatter gives them. */
const DECLARED = /^(?:import|export [*{]|(?:export )?type) ?[\s\S]*?;$|^(?:export )?interface [\s\S]*?^\}$/gm;

/** `source` with comments, strings and regular expressions blanked out, so that nothing in them is changed. */
export function codeOnly(source: string): string {
  const blank = (text: string) => text.replace(/[^\n]/g, "\0");
  return source.replace(
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[(,=:[!&|?{};] *)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g,
    blank,
  );
}

/** Every mutant of a source text, in order. Imports and types are left alone. */
export function mutantsOf(source: string): readonly Mutant[] {
  const code = codeOnly(source).replace(DECLARED, (text) => text.replace(/[^\n]/g, "\0"));
  const found: Mutant[] = [];
  for (const [pattern, becomes] of SWAPS)
    for (const match of code.matchAll(pattern)) found.push({ at: match.index, length: match[0].length, becomes });
  for (const match of code.matchAll(STATEMENT)) found.push({ at: match.index, length: match[0].length, becomes: "" });
  return found.sort((a, b) => a.at - b.at || a.length - b.length);
}

/** The text with one mutant in it. */
export function mutated(source: string, { at, length, becomes }: Mutant): string {
  return source.slice(0, at) + becomes + source.slice(at + length);
}

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((e) => !["node_modules", "dist"].includes(e.name) && !e.name.startsWith("."))
    .flatMap((e) => (e.isDirectory() ? files(join(folder, e.name)) : [join(folder, e.name)]))
    .filter((f) => /\.tsx?$/.test(f));
}

const isSource = (file: string): boolean => !/\.(test|e2e|node|d)\.tsx?$/.test(file);

/** A file or a folder's sources, with every mutant; after `FILE:LINE`, those of one line. */
function placesIn(where: string): { readonly file: string; readonly mutant: Mutant }[] {
  const [, file = where, line] = /^(.*\.ts):(\d+)$/.exec(where) ?? [];
  const lineOf = (source: string, at: number) => source.slice(0, at).split("\n").length;
  return (statSync(file).isDirectory() ? files(file).filter(isSource) : [file]).flatMap((path) => {
    const source = readFileSync(path, "utf8");
    const all = mutantsOf(source).filter((m) => line === undefined || lineOf(source, m.at) === Number(line));
    return all.map((mutant) => ({ file: path, mutant }));
  });
}

const IMPORTED = /^(?:import|export) (?!type )[^"';]*?from "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

/** Each file of the project, and the files that import it. */
function importers(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const file of files("."))
    for (const match of readFileSync(file, "utf8").matchAll(IMPORTED)) {
      const target = join(dirname(file), match[1] ?? match[2] ?? "");
      found.set(target, [...(found.get(target) ?? []), file]);
    }
  return found;
}

/** The tests that import a file, by way of others too: those beside it or one import away, and the rest, nearest first. */
function testsOf(file: string, imported: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const distance = new Map([[file, 0]]);
  for (const [at, steps] of distance) for (const next of imported.get(at) ?? []) if (!distance.has(next)) distance.set(next, steps + 1);
  const tests = [...distance].filter(([f]) => f.endsWith(".test.ts"));
  const near = tests.filter(([f, steps]) => steps <= 1 || dirname(f) === dirname(file)).map(([f]) => f);
  return [near, tests.map(([f]) => f).filter((f) => !near.includes(f))];
}

/** What a run of tests said: which test failed first, `null` when none did. A run that has no end is a failure too. */
function firstFailure(tests: readonly string[], excluded: readonly string[]): string | null {
  const dir = mkdtempSync(join(tmpdir(), "mutate-"));
  const report = join(dir, "report.json");
  const args = ["run", ...tests, "--bail", "1", "--passWithNoTests", "--reporter", "json", "--outputFile", report, ...excluded];
  const vitest = join("node_modules", "vitest", "vitest.mjs");
  try {
    const { status } = spawnSync(process.execPath, [vitest, ...args], { stdio: "ignore", timeout: 900_000 });
    if (status === 0) return null;
    if (!existsSync(report)) return status === null ? "no end after 15 minutes" : "the tests did not start";
    const { testResults } = REPORT.parse(JSON.parse(readFileSync(report, "utf8")));
    const failed = testResults.find((t) => t.status === "failed");
    const test = failed?.assertionResults.find((t) => t.status === "failed");
    return `${relative(process.cwd(), failed?.name ?? "?")}: ${test?.title ?? "does not load"}`;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const REPORT = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ title: z.string(), status: z.string() })),
    }),
  ),
});

/** Too slow to run for every mutant: what only they would notice counts as a survivor, until it is tried again without `--exclude`. */
const SLOW = ["test/crash/**", "test/e2e/**", "test/fuzz/**", "test/parity/**", "test/server/**", "test/security/**", "test/*.test.ts"];

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: "string", default: "30" },
      seed: { type: "string", default: "1" },
      exclude: { type: "string", multiple: true, default: SLOW },
      log: { type: "string" },
    },
  });
  const excluded = values.exclude.filter((glob) => glob !== "").flatMap((glob) => ["--exclude", glob]);
  const imported = importers();
  for (const where of positionals) {
    const all = placesIn(where);
    const rng = randomSource(Number(values.seed));
    const chosen: typeof all = [];
    while (chosen.length < Number(values.count) && all.length > 0) chosen.push(...all.splice(rng.below(all.length), 1));
    const unchanged = [...new Set(chosen.flatMap(({ file }) => testsOf(file, imported)[0] ?? []))];
    const broken = unchanged.length > 0 && firstFailure(unchanged, excluded);
    if (broken) {
      console.error(`${where}: a test fails as it is, so nothing can be said (${broken})`);
      process.exitCode = 1;
      continue;
    }
    let killed = 0;
    for (const { file, mutant } of chosen) {
      const source = readFileSync(file, "utf8");
      const line = source.slice(0, mutant.at).split("\n").length;
      const what = `${file}:${line} «${source.slice(mutant.at, mutant.at + mutant.length).trim()}» → «${mutant.becomes.trim()}»`;
      let killer: string | null = null;
      try {
        writeFileSync(file, mutated(source, mutant));
        // The nearest tests first: most mutants end there.
        for (const tests of testsOf(file, imported)) if (tests.length > 0) killer ??= firstFailure(tests, excluded);
      } finally {
        writeFileSync(file, source);
      }
      if (killer !== null) killed++;
      else console.log(`survived: ${what}`);
      if (values.log) appendFileSync(values.log, `${JSON.stringify({ what, killer })}\n`);
    }
    console.log(
      `${where}: ${killed} of ${chosen.length} killed (${Math.round((100 * killed) / Math.max(1, chosen.length))} %), of ${all.length + chosen.length} places`,
    );
  }
}

if (import.meta.main) main();
