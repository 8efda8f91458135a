// Fuzzy search over names: every word of the query has to be found, best where words begin.
import type { NodeFace } from "./node-face.ts";

/** What a node type is found by besides its name: category, summary, and the types of its sockets. */
export function nodeWords({ category, summary, inputs, outputs }: NodeFace): string {
  const types = new Set([...inputs.flatMap((i) => (i.kind === "socket" ? [i.type] : [])), ...outputs.map((o) => o.type)]);
  return `${category} ${summary} ${[...types].join(" ")}`;
}

export interface Searchable {
  readonly text: string;
  /** Counts less: category, summary. */
  readonly more?: string;
}

/** Higher is better; undefined = no match. */
export function score(query: string, { text, more = "" }: Searchable): number | undefined {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return 0;
  let total = 0;
  for (const word of words) {
    const inText = scoreWord(word, text);
    const inMore = more.toLowerCase().includes(word) ? 4 : undefined;
    if (inText === undefined && inMore === undefined) return undefined;
    total += Math.max(inText ?? 0, inMore ?? 0);
  }
  return total - text.length / 1000;
}

function scoreWord(word: string, text: string): number | undefined {
  const lower = text.toLowerCase();
  const at = lower.indexOf(word);
  if (lower === word) return 100;
  if (at === 0) return 60;
  // A capital or a break before it begins a word: `Sampler` in KSampler, QwenImageEditSampler.
  if (at > 0) return /[A-Z]/.test(text.charAt(at)) || /[\s_/.-]/.test(text.charAt(at - 1)) ? 40 : 20;
  return letters(word, text);
}

/** The query's letters in order; initials count most: `qies` finds QwenImageEditSampler. */
function letters(word: string, text: string): number | undefined {
  let from = 0;
  let initials = 0;
  for (const letter of word) {
    const at = nextInitial(text, letter, from);
    if (at >= 0) {
      initials++;
      from = at + 1;
      continue;
    }
    const plain = text.toLowerCase().indexOf(letter, from);
    if (plain < 0) return undefined;
    from = plain + 1;
  }
  return initials === word.length ? 15 : word.length > 2 && initials * 2 >= word.length ? 5 : undefined;
}

function nextInitial(text: string, letter: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charAt(i);
    if (c.toLowerCase() !== letter) continue;
    if (i === 0 || /[A-Z0-9]/.test(c) || /[\s_/.-]/.test(text.charAt(i - 1))) return i;
  }
  return -1;
}

/** The best matches, in order; equal ones stay as they were. */
export function search<T>(query: string, items: readonly T[], of: (item: T) => Searchable, limit = 100): T[] {
  const found: { readonly item: T; readonly score: number; readonly at: number }[] = [];
  for (const [at, item] of items.entries()) {
    const s = score(query, of(item));
    if (s !== undefined) found.push({ item, score: s, at });
  }
  return found
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, limit)
    .map((f) => f.item);
}
