// How many small faults would the tests notice? Changes one place of the source at a time and runs the tests that import it.
//   node tools/mutate.ts FOLDER… [--count 30] [--seed 1] [--exclude GLOB]…
// Prints every survivor and the share killed, folder by folder. It edits files in place and puts them back: run it on a clean checkout.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
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
  [/(?<=[ ([])0(?=[,;)\] ])/g, "1"],
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

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? sources(join(folder, e.name)) : [join(folder, e.name)]))
    .filter((f) => f.endsWith(".ts") && !/\.(test|node|d)\.ts$/.test(f));
}

/** True when a test fails, or takes so long that the mutant must hang. @param tests `run` and test files, or `related` and a source */
function fails(tests: readonly string[], excluded: readonly string[]): boolean {
  const args = ["vitest", ...tests, "--run", "--bail", "1", "--passWithNoTests", "--reporter", "dot", ...excluded];
  return spawnSync("npx", args, { stdio: "ignore", timeout: 900_000 }).status !== 0;
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: "string", default: "30" },
      seed: { type: "string", default: "1" },
      exclude: {
        type: "string",
        multiple: true,
        default: ["test/crash/**", "test/large-file.test.ts", "test/e2e/saved-workflows.test.ts"],
      },
    },
  });
  const excluded = values.exclude.flatMap((glob) => ["--exclude", glob]);
  for (const folder of positionals) {
    if (fails(["run", folder], excluded)) {
      console.error(`${folder}: its tests fail as it is, so nothing can be said`);
      process.exitCode = 1;
      continue;
    }
    const all = sources(folder).flatMap((file) => mutantsOf(readFileSync(file, "utf8")).map((mutant) => ({ file, mutant })));
    const rng = randomSource(Number(values.seed));
    const chosen: typeof all = [];
    while (chosen.length < Number(values.count) && all.length > 0) chosen.push(...all.splice(rng.below(all.length), 1));
    let killed = 0;
    for (const { file, mutant } of chosen) {
      const source = readFileSync(file, "utf8");
      const beside = readdirSync(dirname(file)).filter((f) => f.endsWith(".test.ts"));
      try {
        writeFileSync(file, mutated(source, mutant));
        // The tests next to the file first: most mutants end there.
        const near = beside.map((f) => join(dirname(file), f));
        if ((near.length > 0 && fails(["run", ...near], excluded)) || fails(["related", file], excluded)) killed++;
        else {
          const line = source.slice(0, mutant.at).split("\n").length;
          console.log(
            `survived: ${file}:${line} «${source.slice(mutant.at, mutant.at + mutant.length).trim()}» → «${mutant.becomes.trim()}»`,
          );
        }
      } finally {
        writeFileSync(file, source);
      }
    }
    console.log(
      `${folder}: ${killed} of ${chosen.length} killed (${Math.round((100 * killed) / Math.max(1, chosen.length))} %), of ${all.length + chosen.length} places`,
    );
  }
}

if (import.meta.main) main();
