import { expect, test } from "vitest";
import { readMarkdown } from "./markdown.ts";

const words = (text: string) => readMarkdown(text).map((b) => b.spans.map((s) => s.text).join(""));

test("headings, lists, quotes, code, rules and tables are lines with their looks", () => {
  const blocks = readMarkdown(
    "# Who *is* who\n\nSome **bold**, _slanted_ and ~~gone~~ `code`.\n\n- one\n  1. two\n- [x] done\n\n> said\n\n```\na < b\nc\n```\n---\n|a|b|\n|-|-|\n|1|2|",
  );
  expect(blocks.map((b) => [b.kind, b.depth, b.marker ?? ""])).toEqual([
    ["heading", 0, ""],
    ["text", 0, ""],
    ["text", 1, "•"],
    ["text", 2, "1."],
    ["text", 1, "☑"],
    ["text", 1, ""],
    ["code", 0, ""],
    ["code", 0, ""],
    ["rule", 0, ""],
    ["text", 0, ""],
    ["text", 0, ""],
  ]);
  expect(blocks[0]).toMatchObject({ level: 1, spans: [{ text: "Who " }, { text: "is", italic: true }, { text: " who" }] });
  expect(blocks[1]?.spans.filter((s) => s.bold || s.italic || s.struck || s.code)).toEqual([
    { text: "bold", bold: true },
    { text: "slanted", italic: true },
    { text: "gone", struck: true },
    { text: "code", code: true },
  ]);
  expect(words("- [x] done")).toEqual(["done"]);
  expect(blocks[5]?.isQuote).toBe(true);
  expect(words("```\na < b\n```")).toEqual(["a < b"]);
  expect(words('a & b < c "d"')).toEqual(['a & b < c "d"']);
});

test("HTML is shown as text, pictures as their words, and links lead to web addresses only", () => {
  const hrefs = (text: string) => readMarkdown(text).flatMap((b) => b.spans.flatMap((s) => s.href ?? []));
  expect(words('<img src=x onerror="alert(1)"> and <b>bold</b>')).toEqual(['<img src=x onerror="alert(1)"> and <b>bold</b>']);
  expect(words("![a picture](https://elsewhere.example/track.png)")).toEqual(["a picture"]);
  expect(hrefs("![a picture](https://elsewhere.example/track.png)")).toEqual([]);
  expect(hrefs("[x](javascript:alert(1)) [y](data:text/html,z) [z](https://a.example/b) <mailto:a@b.example>")).toEqual([
    "https://a.example/b",
    "mailto:a@b.example",
  ]);
});

test("no text is lost or takes the page down", () => {
  expect(readMarkdown("")).toEqual([]);
  expect(words(`${"> ".repeat(5000)}deep`).join("")).toContain("deep");
  for (const text of ["*".repeat(20_000), "[".repeat(20_000), "`".repeat(19_999), "- ".repeat(9_000), "|".repeat(20_000)])
    expect(() => readMarkdown(text)).not.toThrow();
});
