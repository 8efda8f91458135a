import { z } from "zod";

/**
 * Name of a file below the output directory, without number and ending; folders before it are made. What leads out of the directory is
 * refused when the workflow is checked, not when a long run has come to its end.
 * @param fallback the name where none is given
 */
export function outputName(fallback: string) {
  return z.string().min(1).max(512).superRefine(refuse).default(fallback);
}

function refuse(name: string, context: z.core.$RefinementCtx<string>): void {
  const parts = name.replaceAll("\\", "/").split("/");
  const say = (message: string): void => context.addIssue({ code: "custom", message });
  if (/^([/\\]|[A-Za-z]:)/.test(name)) say("it is an absolute path; names are below the output directory");
  else if (parts.includes("..")) say("it leads out of the output directory");
  // A number and an ending follow.
  else if (parts.some((part) => part.length > 200)) say("a folder or file name in it has more than 200 characters");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
  else if (/[\u0000-\u001f\u007f]/.test(name)) say("it holds control characters");
}
