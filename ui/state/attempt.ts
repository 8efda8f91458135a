import { ApiFailure } from "../net/client.ts";
import { say } from "./toasts.ts";

/** Runs something that talks to the server; a failure is said where it will be seen. */
export async function attempt(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof ApiFailure) {
      // The banner says that the server is gone.
      if (error.code !== "SERVER_GONE") say(error.hint ? `${error.message} ${sentence(error.hint)}` : error.message);
    } else say(error instanceof Error ? error.message : String(error));
    return false;
  }
}

/** A hint as a sentence of its own. */
export function sentence(hint: string): string {
  if (hint === "") return "";
  const capital = hint.charAt(0).toUpperCase() + hint.slice(1);
  return /[.?!]$/.test(capital) ? capital : `${capital}.`;
}
