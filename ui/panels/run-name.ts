/** A run among others of its name: to the second, since two trainings may begin in the same minute. */
export function runName({ name, created }: { readonly name: string; readonly created: number }): string {
  return `${name}, ${new Date(created).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" })}`;
}
