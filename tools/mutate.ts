// How many small faults would the tests notice? Changes one place of the source at a time and runs the tests that import it.
//   node tools/mutate.ts FOLDER|FILE|FILE:LINE… [--count 30] [--seed 1] [--exclude GLOB]… [--log FILE] [--near]
// Prints every survivor and the share killed, for each argument. It edits files in place and puts them back: run it on a clean checkout.
// --near runs only the tests beside a file or the fewest imports away: fast, and what only farther tests would notice counts as a survivor.
// --exclude replaces the list of slow tests that are left out. --log appends a line of JSON for each mutant, with the test that killed it.
import { spawnSync } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, matchesGlob, relative, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createVitest, type Vitest } from "vitest/node";
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
  [/(?<=[ ([])(?<!\] \?\? )1(?=[,;)\] ])/g, "2"],
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

/** `const [m = 0, n = 0] = values.shape;`: defaults that the compiler asks for and no run reaches. */
const DIMENSIONS = /const \[[^\]\n]*\] = (?:[\w.?]+\.)?shape;/g;

/** Every mutant of a source text, in order. Imports, types and what only the compiler needs are left alone. */
export function mutantsOf(source: string): readonly Mutant[] {
  const blank = (text: string) => text.replace(/[^\n]/g, "\0");
  const code = codeOnly(source).replace(DECLARED, blank).replace(DIMENSIONS, blank);
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

/** The tests that import a file, by way of others too: its own, the rest beside it or the fewest imports away, and all others. */
function testsOf(file: string, imported: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const distance = new Map([[file, 0]]);
  for (const [at, steps] of distance) for (const next of imported.get(at) ?? []) if (!distance.has(next)) distance.set(next, steps + 1);
  const tests = [...distance].filter(([f]) => f.endsWith(".test.ts"));
  const least = Math.min(...tests.map(([, steps]) => steps));
  const own = file.replace(/(?:\.node)?\.ts$/, ".test.ts");
  const rankOf = ([f, steps]: readonly [string, number]) => (f === own ? 0 : steps === least || dirname(f) === dirname(file) ? 1 : 2);
  return [0, 1, 2].map((rank) => tests.filter((t) => rankOf(t) === rank).map(([f]) => f));
}

/** A test that failed, and the file it is in. */
interface Failure {
  readonly file: string;
  readonly test: string;
}

/** One Vitest for all mutants: what does not change is transformed once. */
class Tests {
  #vitest: Promise<Vitest> | undefined;
  /** Files that have changed since this Vitest began: each is read again. */
  readonly #changed = new Set<string>();

  /** The first failure of these files; undefined when all pass. A run that has no end is a failure too. */
  async firstFailure(tests: readonly string[], changed: string): Promise<Failure | undefined> {
    this.#vitest ??= this.#open();
    const vitest = await this.#vitest;
    this.#changed.add(resolve(changed));
    for (const file of this.#changed) vitest.invalidateFile(file);
    const specifications = tests.flatMap((file) => vitest.getModuleSpecifications(resolve(file)));
    if (specifications.length < tests.length) throw new Error(`Vitest does not know all of ${tests.join(", ")}`);
    const ended = vitest.runTestSpecifications(specifications, false);
    const result = await Promise.race([ended, setTimeout(NO_END_MS, undefined, { ref: false })]);
    if (!result) {
      ended.catch(() => undefined);
      this.#vitest = undefined;
      // What computes without end does not listen.
      spawnSync("pkill", ["-9", "-P", String(process.pid)]);
      return { file: tests[0] ?? "", test: `no end after ${NO_END_MS / 60_000} minutes` };
    }
    for (const module of result.testModules) {
      const [failed] = module.children.allTests("failed");
      if (!module.ok()) return { file: relative(process.cwd(), module.moduleId), test: failed?.name ?? "does not load" };
    }
    return undefined;
  }

  /** A test that failed must pass without the mutant, before anything else is judged: Vitest may still hold the mutant, and then begins anew. */
  async expectSound(test: string, changed: string): Promise<void> {
    if (!(await this.firstFailure([test], changed))) return;
    await this.close();
    const failure = await this.firstFailure([test], changed);
    if (failure) throw new Error(`${test} fails without a mutant too (${failure.test}): nothing can be said`);
  }

  async #open(): Promise<Vitest> {
    const vitest = await createVitest("test", { watch: false, maxWorkers: 1, bail: 1, reporters: [{}] });
    await vitest.standalone();
    return vitest;
  }

  async close(): Promise<void> {
    await (await this.#vitest)?.close();
    this.#vitest = undefined;
    this.#changed.clear();
  }
}

const NO_END_MS = 10 * 60_000;

/** Too slow to run for every mutant: what only they would notice counts as a survivor, until it is tried again with other `--exclude`s. */
const SLOW = [
  "test/crash/*{dies,kill}.test.ts",
  "test/e2e/**",
  "test/fuzz/**",
  "test/parity/**",
  "test/server/**",
  "test/security/**",
  "test/*.test.ts",
];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: "string", default: "30" },
      seed: { type: "string", default: "1" },
      exclude: { type: "string", multiple: true, default: SLOW },
      log: { type: "string" },
      near: { type: "boolean", default: false },
    },
  });
  const isExcluded = (test: string): boolean => values.exclude.some((glob) => matchesGlob(test, glob));
  const imported = importers();
  const tests = new Tests();
  for (const where of positionals) {
    const all = placesIn(where);
    const rng = randomSource(Number(values.seed));
    const chosen: typeof all = [];
    while (chosen.length < Number(values.count) && all.length > 0) chosen.push(...all.splice(rng.below(all.length), 1));
    let killed = 0;
    for (const { file, mutant } of chosen) {
      const source = readFileSync(file, "utf8");
      const line = source.slice(0, mutant.at).split("\n").length;
      const what = `${file}:${line} «${source.slice(mutant.at, mutant.at + mutant.length).trim()}» → «${mutant.becomes.trim()}»`;
      let killer: Failure | undefined;
      try {
        writeFileSync(file, mutated(source, mutant));
        // The nearest tests first: most mutants end there.
        for (const group of testsOf(file, imported).slice(0, values.near ? 2 : 3)) {
          const allowed = group.filter((test) => !isExcluded(test));
          if (allowed.length > 0) killer ??= await tests.firstFailure(allowed, file);
        }
      } finally {
        writeFileSync(file, source);
      }
      if (killer) await tests.expectSound(killer.file, file);
      if (killer) killed++;
      else console.log(`survived: ${what}`);
      if (values.log) appendFileSync(values.log, `${JSON.stringify({ what, killer })}\n`);
    }
    const share = Math.round((100 * killed) / Math.max(1, chosen.length));
    console.log(`${where}: ${killed} of ${chosen.length} killed (${share} %), of ${all.length + chosen.length} places`);
  }
  await tests.close();
}

if (import.meta.main) await main();
