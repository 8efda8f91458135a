// Errors are data first: a code to branch on, a message that names the place and reason, a hint that names the remedy.

/** Options of {@link AppError}. `details` must be JSON-serialisable. */
export interface AppErrorOptions {
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error class that crosses module borders. `code` is UPPER_SNAKE, area first
 * (`GRAPH_CYCLE`, `TENSOR_SHAPE`, `FILE_SAFETENSORS_OVERLAP`).
 */
export class AppError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** Wraps anything thrown into an {@link AppError}, keeping one that already is. */
export function toAppError(error: unknown, code = "INTERNAL"): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError(code, message, { cause: error });
}
