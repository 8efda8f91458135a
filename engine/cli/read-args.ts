import { type ParseArgsConfig, parseArgs } from "node:util";
import { didYouMean } from "../base/did-you-mean.ts";
import { AppError } from "../base/errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/**
 * Options and positionals of a command.
 * @param usage what to say when they are wrong: `graph run FILE [--out DIR]`
 * @throws AppError USAGE_OPTION, USAGE_ARGUMENTS
 */
export function readArgs<const O extends Options>(
  args: readonly string[],
  options: O,
  positionals: readonly [min: number, max: number],
  usage: string,
) {
  const known = Object.keys(options);
  for (const arg of args) {
    if (arg === "--") break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || known.includes(name)) continue;
    const near = didYouMean(name, known);
    throw new AppError("USAGE_OPTION", `there is no option --${name}`, { hint: near === undefined ? usage : `did you mean --${near}?` });
  }
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    const count = parsed.positionals.length;
    if (count < positionals[0] || count > positionals[1])
      throw new AppError(
        "USAGE_ARGUMENTS",
        count < positionals[0] ? "an argument is missing" : `${parsed.positionals[positionals[1]]} is one argument too many`,
        {
          hint: usage,
        },
      );
    return parsed;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("USAGE_OPTION", error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error), { hint: usage });
  }
}
