/** One finding about a document. Validation returns all of them at once and never throws the first. */
export interface Issue {
  /** UPPER_SNAKE, e.g. `REQUIRED_INPUT_MISSING`. */
  readonly code: string;
  /** Where: node id, input name, index … from the outside in. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}
