// One server per data folder. The lock is the operating system's, on a SQLite file: it is released when its process ends, however that happens.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError } from "../base/errors.ts";

/** @returns a function that releases it @throws AppError STORE_LOCKED, STORE_IO */
export function lockData(folder: string): () => void {
  const path = join(folder, "server.lock");
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database?.close();
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/locked|busy/i.test(message))
      throw new AppError("STORE_LOCKED", `another server uses the data folder ${folder}`, {
        hint: "use that one, end it, or set WHOSWHO_DATA to another folder",
        cause,
      });
    throw new AppError("STORE_IO", `cannot lock the data folder ${folder}: ${message}`, { hint: "check the folder's permissions", cause });
  }
  const held = database;
  return () => held.close();
}
