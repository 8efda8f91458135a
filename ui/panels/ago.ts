/** How long ago, in few words: `now`, `5 min`, `3 h`, `2 d`, then the date. */
export function ago(at: number, now = Date.now()): string {
  const s = Math.max(0, (now - at) / 1000);
  if (s < 45) return "now";
  if (s < 3600) return `${Math.max(1, Math.round(s / 60))}\u2009min`;
  if (s < 86_400) return `${Math.round(s / 3600)}\u2009h`;
  if (s < 7 * 86_400) return `${Math.round(s / 86_400)}\u2009d`;
  return new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}
