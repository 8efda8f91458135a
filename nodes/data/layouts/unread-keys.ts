/** What a configuration says and nobody here reads: a note for the person, or none. @param quiet keys that change nothing of what is trained */
export function unreadKeys(
  name: string,
  tables: readonly (Readonly<Record<string, unknown>> | undefined)[],
  read: readonly string[],
  quiet: readonly string[],
): readonly string[] {
  const known = new Set([...read, ...quiet]);
  const unread = [...new Set(tables.flatMap((table) => Object.keys(table ?? {})))].filter((key) => !known.has(key));
  return unread.length > 0
    ? [`${name}: ${unread.join(", ")} ${unread.length === 1 ? "is" : "are"} not read; size, batches and training are set by widgets`]
    : [];
}
