// What values keep in memory invisibly: a module's weights are in the closures of its functions.

const held = new WeakMap<object, readonly unknown[]>();

/**
 * Declares what a value keeps alive besides its own fields, so that caches can weigh it. Code that makes a module over arrays it has
 * read must call this. What a node's inputs hold need not be declared: the executor does it for every result that has functions.
 * @returns the value itself
 */
export function holding<T extends object>(value: T, ...things: readonly unknown[]): T {
  held.set(value, [...heldBy(value), ...things]);
  return value;
}

/** What was declared with `holding`. */
export function heldBy(value: object): readonly unknown[] {
  return held.get(value) ?? [];
}
