/** How often each reason was given, numbers and names left out of account, with an example of each. */
export function reasonsOf(rejected: readonly { readonly id: string; readonly why: string }[]): string {
  const counts = new Map<string, { count: number; example: string }>();
  for (const { id, why } of rejected) {
    const kind = why.replace(/-?\d+(\.\d+)?/g, "#").replace(/ as .*$/, " as another");
    const known = counts.get(kind);
    counts.set(kind, { count: (known?.count ?? 0) + 1, example: known?.example ?? `${id}: ${why}` });
  }
  return [...counts.values()].map(({ count, example }) => `${count} × ${example}`).join("; ");
}
