import type { Program } from "../app/program.ts";
import { didYouMean } from "../base/did-you-mean.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { type Command, EXIT } from "./command.ts";

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).run,
  validate: async () => (await import("./validate.ts")).validateCommand,
  show: async () => (await import("./show.ts")).show,
  frames: async () => (await import("./frames.ts")).frames,
  export: async () => (await import("./export.ts")).exportCommand,
  prefer: async () => (await import("./prefer.ts")).prefer,
  nodes: async () => (await import("./nodes.ts")).nodes,
  models: async () => (await import("./models.ts")).models,
  doctor: async () => (await import("./doctor.ts")).doctor,
  help: async () => (await import("./help.ts")).help,
};

/** Runs one command. @returns the exit code */
export async function main(args: readonly string[], program: Program): Promise<number> {
  const [name = "help", ...rest] = args;
  try {
    if (name === "--version" || name === "-v") {
      const { versionsOf } = await import("../app/versions.ts");
      console.log((await versionsOf(program)).package);
      return EXIT.ok;
    }
    const wantsHelp = name === "--help" || name === "-h" || rest.includes("--help") || rest.includes("-h");
    const load = wantsHelp ? COMMANDS.help : Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!load) {
      const near = didYouMean(name, Object.keys(COMMANDS));
      throw new AppError("USAGE_COMMAND", `there is no command ${name}`, {
        hint: near ? `did you mean graph ${near}?` : "see `graph help`",
      });
    }
    return await (await load())(wantsHelp ? [] : rest, program);
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    console.error(`error ${code}: ${message}`);
    if (hint !== undefined) console.error(`  ${hint}`);
    // A bug in this program: whoever reports it needs to know where.
    if (!(error instanceof AppError) && error instanceof Error) console.error(error.stack);
    return code.startsWith("USAGE_") ? EXIT.usage : EXIT.failed;
  }
}
