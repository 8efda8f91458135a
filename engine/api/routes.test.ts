import { expect, test } from "vitest";
import { fileUrl } from "./files.ts";
import { routes, routeUrl } from "./routes.ts";

test("names are encoded, and a name of several parts keeps its slashes", () => {
  expect(routeUrl(routes.file, { root: "output", name: "a b/c#.png" }, { width: 64, download: undefined })).toBe(
    "/api/files/output/a%20b/c%23.png?width=64",
  );
  expect(fileUrl({ type: "output", subfolder: "a b", filename: "c#.png" }, 64)).toBe("/api/files/output/a%20b/c%23.png?width=64");
  expect(routeUrl(routes.graph, { name: "../x" })).toBe("/api/graphs/..%2Fx");
});

test("method and path name a route", () => {
  const all = Object.values(routes).map(({ method, path }) => `${method} ${path.replace(/[:*]\w+/g, ":")}`);
  expect(new Set(all).size).toBe(all.length);
});
