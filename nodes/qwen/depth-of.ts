/**
 * How many numbered blocks there are below a path, by the highest number: a file that lacks tensors of one block is not a smaller model.
 * @param path `transformer_blocks`
 */
export function depthOf(names: Iterable<string>, path: string): number {
  let depth = 0;
  for (const name of names) {
    const number = name.startsWith(`${path}.`) ? /^\d{1,4}(?=\.)/.exec(name.slice(path.length + 1)) : null;
    if (number) depth = Math.max(depth, Number(number[0]) + 1);
  }
  return depth;
}
