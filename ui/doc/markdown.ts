// A note's Markdown as lines and pieces of text: what canvas and inspector draw. HTML in it stays text, so nothing of it is ever run.
import { Lexer, type Token, type Tokens } from "marked";

/** A piece of text of one look. */
export interface Span {
  readonly text: string;
  readonly bold?: boolean;
  readonly italic?: boolean;
  readonly code?: boolean;
  readonly struck?: boolean;
  /** Only http, https and mailto: other links are text. */
  readonly href?: string;
}

/** What begins on a line of its own. */
export interface Block {
  readonly kind: "text" | "heading" | "code" | "rule";
  readonly spans: readonly Span[];
  /** 1–6, of a heading. */
  readonly level?: number;
  /** Lists and quotes that it stands in. */
  readonly depth: number;
  /** Before a list's item: `•`, `3.`, `☐`, `☑`. */
  readonly marker?: string;
  readonly isQuote?: boolean;
}

/** Characters that are read: a note is no book. */
const MAX = 20_000;
const MAX_DEPTH = 8;
const known = new Map<string, readonly Block[]>();

export function readMarkdown(text: string): readonly Block[] {
  let blocks = known.get(text);
  if (!blocks) {
    blocks = parse(text.length > MAX ? `${text.slice(0, MAX)}\n\n…` : text);
    if (known.size > 200) known.clear();
    known.set(text, blocks);
  }
  return blocks;
}

function parse(text: string): readonly Block[] {
  try {
    return new Lexer({ gfm: true }).lex(text).flatMap((token) => blocksOf(token, { depth: 0 }));
  } catch (error) {
    // Thousands of quotes in one another are more than the parser's stack takes: then the text is shown as it is.
    if (!(error instanceof RangeError)) throw error;
    return text.split("\n").map((line) => ({ kind: "text", depth: 0, spans: [{ text: line }] }));
  }
}

type Place = Pick<Block, "depth" | "marker" | "isQuote">;

function blocksOf(token: Token, place: Place): readonly Block[] {
  switch (token.type) {
    case "space":
    case "def":
    case "checkbox":
      return [];
    case "heading":
      return [{ ...place, kind: "heading", level: (token as Tokens.Heading).depth, spans: spansOf(token) }];
    case "hr":
      return [{ ...place, kind: "rule", spans: [] }];
    case "code":
      return (token as Tokens.Code).text.split("\n").map((line) => ({ ...place, kind: "code", spans: [{ text: line, code: true }] }));
    case "blockquote":
      return inside((token as Tokens.Blockquote).tokens, { depth: place.depth + 1, isQuote: true });
    case "list": {
      const list = token as Tokens.List;
      const first = typeof list.start === "number" ? list.start : 1;
      return list.items.flatMap((item, i) => {
        const marker = item.task ? (item.checked ? "☑" : "☐") : list.ordered ? `${first + i}.` : "•";
        const [head, ...rest] = inside(item.tokens, { ...place, depth: place.depth + 1 });
        return [{ ...(head ?? { kind: "text", spans: [], depth: place.depth + 1 }), marker }, ...rest];
      });
    }
    case "table": {
      const { header, rows } = token as Tokens.Table;
      return [header, ...rows].map((cells, row) => ({
        ...place,
        kind: "text",
        spans: cells.flatMap((cell, i) => [...(i > 0 ? [{ text: "  ·  " }] : []), ...spansOf(cell, row === 0 ? { bold: true } : {})]),
      }));
    }
    default:
      return [{ ...place, kind: "text", spans: spansOf(token) }];
  }
}

function inside(tokens: readonly Token[], place: Place): readonly Block[] {
  if (place.depth > MAX_DEPTH) return [{ ...place, kind: "text", spans: tokens.map((t) => ({ text: t.raw })) }];
  return tokens.flatMap((token) => blocksOf(token, place));
}

type Style = Omit<Span, "text">;

function spansOf(
  token: { readonly type?: string; readonly raw?: string; readonly text?: string; readonly tokens?: Token[] },
  style: Style = {},
): Span[] {
  if (!token.tokens) return [{ ...style, text: token.text ?? token.raw ?? "" }];
  return token.tokens.flatMap((t): Span[] => {
    switch (t.type) {
      case "strong":
        return spansOf(t, { ...style, bold: true });
      case "em":
        return spansOf(t, { ...style, italic: true });
      case "del":
        return spansOf(t, { ...style, struck: true });
      case "codespan":
        return [{ ...style, code: true, text: (t as Tokens.Codespan).text }];
      case "br":
        return [{ ...style, text: "\n" }];
      case "link": {
        const { href } = t as Tokens.Link;
        return spansOf(t, /^(https?:|mailto:)/i.test(href) ? { ...style, href } : style);
      }
      // Nothing is fetched from elsewhere: a picture is its words.
      case "image":
        return [{ ...style, italic: true, text: (t as Tokens.Image).text }];
      case "html":
        return [{ ...style, text: t.raw }];
      default:
        return "tokens" in t && t.tokens ? spansOf(t, style) : [{ ...style, text: "text" in t ? String(t.text) : t.raw }];
    }
  });
}
