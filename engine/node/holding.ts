// What values keep in memory without showing it: a module's weights live in the variables of its functions.

const held = new WeakMap<object, readonly unknown[]>();

/**
 * Says what a value keeps alive besides its own fields, so that caches can weigh it. To be called by whatever makes a module over
 * arrays it has read. What a node's inputs hold need not be said: the executor says it of every result that has functions.
 * @returns the value itself
 */
export function holding<T extends object>(value: T, ...things: readonly unknown[]): T {
  held.set(value, [...heldBy(value), ...things]);
  return value;
}

/** What `holding` was told. */
export function heldBy(value: object): readonly unknown[] {
  return held.get(value) ?? [];
}
