/**
 * What travels on a link. `T` is the TypeScript type of the value; two sockets connect when their names are equal or one is `*`.
 * Names are ComfyUI's where the thing is ComfyUI's.
 */
export interface Socket<T> {
  readonly name: string;
  /** Type only: never set. */
  readonly _value?: T;
}

/** Declares a socket type. */
export function socket<T>(name: string): Socket<T> {
  return { name };
}
