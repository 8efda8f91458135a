// What a person likes: kept in the browser at once, and on the server for the next browser.
import { signal } from "@preact/signals";
import { z } from "zod";
import { BADGES } from "../doc/badges.ts";

/** ComfyUI's: curved, one line, at right angles, none. */
export const LINK_SHAPES = ["spline", "linear", "straight", "hidden"] as const;

const schema = z.object({
  theme: z.enum(["system", "dark", "light"]).catch("system"),
  /** Action id → keys that replace its own. */
  keys: z.record(z.string(), z.array(z.string())).catch({}),
  snap: z.boolean().catch(true),
  links: z.enum(LINK_SHAPES).catch("spline"),
  wheel: z.enum(["zoom", "pan"]).catch("zoom"),
  minimap: z.boolean().catch(true),
  rail: z.enum(["nodes", "graphs", "models", "runs"]).nullable().catch(null),
  inspector: z.boolean().catch(true),
  railWidth: z.number().min(200).max(640).catch(280),
  inspectorWidth: z.number().min(240).max(800).catch(360),
  /** Node types marked in the palette. */
  bookmarks: z.array(z.string()).catch([]),
  badges: z.enum(BADGES).catch("special"),
  /** Run again after each change. */
  autoRun: z.boolean().catch(false),
  /** Ask the server what it would cost after each change. */
  autoCost: z.boolean().catch(false),
  notify: z.boolean().catch(false),
});
export type Prefs = z.infer<typeof schema>;

const KEY = "prefs";
export const DEFAULT_PREFS: Prefs = schema.parse({});

function stored(): Prefs {
  try {
    return schema.parse(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
  } catch {
    return DEFAULT_PREFS;
  }
}

export const prefs = signal<Prefs>(stored());

let send: ((prefs: Prefs) => void) | undefined;

export function setPrefs(change: Partial<Prefs>): void {
  prefs.value = { ...prefs.value, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs.value));
  } catch {
    // The server keeps them too.
  }
  send?.(prefs.value);
}

/** What the server has counts where this browser has nothing of its own; every later change is sent there. */
export function shareGlobally(fromServer: unknown, write: (prefs: Prefs) => void): void {
  let isOwn = false;
  try {
    isOwn = localStorage.getItem(KEY) !== null;
  } catch {
    isOwn = false;
  }
  const parsed = schema.safeParse(fromServer);
  if (!isOwn && fromServer !== undefined && parsed.success) prefs.value = { ...parsed.data, ...layoutOf(prefs.value) };
  send = (p) => write({ ...p, ...layoutOf(DEFAULT_PREFS) });
}

/** Which panels are open belongs to a window, not to a person. */
function layoutOf({
  rail,
  inspector,
  railWidth,
  inspectorWidth,
}: Prefs): Pick<Prefs, "rail" | "inspector" | "railWidth" | "inspectorWidth"> {
  return { rail, inspector, railWidth, inspectorWidth };
}
