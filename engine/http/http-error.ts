import type { Response } from "express";
import type { ErrorBody } from "../api/error-body.ts";
import { errorBody } from "../api/error-body.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { stringifyJson } from "../base/json.ts";

/** Statuses by code. Any other AppError is the client's mistake (400); any other error is a bug of ours (500). */
const STATUS: Readonly<Record<string, number>> = {
  TOKEN_REQUIRED: 401,
  HOST_NOT_ALLOWED: 403,
  ORIGIN_NOT_ALLOWED: 403,
  CLIENT_HEADER_MISSING: 403,
  PATH_UNSAFE: 403,
  STORE_DENIED: 403,
  ROUTE_NOT_FOUND: 404,
  SERVER_NOTHING_OPENED: 404,
  RUN_NOT_FOUND: 404,
  GRAPH_NOT_FOUND: 404,
  STORE_NOT_FOUND: 404,
  INPUT_NOT_FOUND: 404,
  MODEL_NOT_FOUND: 404,
  FILE_NOT_FOUND: 404,
  WORKFLOW_NONE: 404,
  PREFERENCE_NONE: 404,
  METHOD_NOT_ALLOWED: 405,
  RUN_CANNOT_PAUSE: 409,
  RUN_CANNOT_RESUME: 409,
  RUN_ELSEWHERE: 409,
  RUN_NO_WORKFLOW: 409,
  FILE_KEPT: 409,
  RUN_ACTIVE: 409,
  RUN_NOT_QUEUED: 409,
  GRAPH_CHANGED: 409,
  STORE_LEASED: 409,
  PIN_LOST: 409,
  PREFERENCE_KNOWN: 409,
  BODY_TOO_LARGE: 413,
  UPLOAD_TOO_LARGE: 413,
  SETTINGS_TOO_LARGE: 413,
  INPUT_TOO_LARGE: 413,
  URL_TOO_LONG: 414,
  BODY_TYPE: 415,
  WORKFLOW_INVALID: 422,
  IMAGE_FORMAT: 422,
  IMAGE_CORRUPT: 422,
  IMAGE_TOO_LARGE: 422,
  QUEUE_FULL: 429,
  GRAPHS_FULL: 429,
  CLIENTS_FULL: 503,
  READ_TIMEOUT: 503,
  READ_DIED: 422,
  STORE_FULL: 507,
  SETTINGS_DAMAGED: 500,
  PREFERENCES: 500,
  STORE_IO: 500,
  STORE_JOURNAL: 500,
  INTERNAL: 500,
};

export function statusOf(error: unknown): number {
  const { code } = toAppError(error);
  return STATUS[code] ?? (error instanceof AppError ? 400 : 500);
}

/** What a client is told. Causes and stacks stay here. */
export function bodyOf(thrown: unknown): ErrorBody {
  const error = toAppError(thrown);
  const isOurs = !(thrown instanceof AppError);
  const { issues, warnings, path } = errorBody.shape.error.partial().safeParse(error.details).data ?? {};
  return {
    error: {
      code: error.code,
      message: isOurs ? "the server has a fault; its log says more" : error.message,
      hint: error.hint ?? "",
      ...(path && { path }),
      ...(issues && { issues }),
      ...(warnings && { warnings }),
    },
  };
}

export function sendError(response: Response, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response
    .status(statusOf(error))
    .type("application/json")
    .send(stringifyJson(bodyOf(error)));
}
