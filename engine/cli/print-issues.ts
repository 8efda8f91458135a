import type { Issue } from "../base/issues.ts";
import { stringifyJson } from "../base/json.ts";

/** One line per issue (and one for its hint), or one JSON object per line. */
export function printIssues(issues: readonly Issue[], warnings: readonly Issue[], asJson: boolean): void {
  const all = [...issues.map((issue) => ({ level: "error", ...issue })), ...warnings.map((issue) => ({ level: "warning", ...issue }))];
  for (const issue of all) {
    if (asJson) {
      console.log(stringifyJson({ kind: "issue", ...issue }));
      continue;
    }
    const place = issue.path.join(".");
    console.error(`${issue.level} ${issue.code}${place === "" ? "" : ` at ${place}`}: ${issue.message}`);
    if (issue.hint !== undefined) console.error(`  ${issue.hint}`);
  }
}
