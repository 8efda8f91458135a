import { AppError } from "../base/errors.ts";
import { codeOf } from "./file-system.ts";

/** A failed file operation as STORE_FULL, STORE_DENIED, STORE_NOT_FOUND or STORE_IO. */
export function storeError(doing: string, path: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = codeOf(error);
  const options = { cause: error, details: { path, errno: code } };
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new AppError("STORE_FULL", `the disk is full: cannot ${doing} ${path}`, { ...options, hint: "free some space and run again" });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new AppError("STORE_DENIED", `no permission to ${doing} ${path}`, {
        ...options,
        hint: "choose another folder with --out, or change its permissions",
      });
    case "ENOENT":
      return new AppError("STORE_NOT_FOUND", `cannot ${doing} ${path}: it does not exist`, options);
    default:
      return new AppError("STORE_IO", `cannot ${doing} ${path}: ${error instanceof Error ? error.message : String(error)}`, options);
  }
}
