import type { ComponentChildren } from "preact";
import { type Block, readMarkdown, type Span } from "../doc/markdown.ts";

/** A note as it reads. Made of elements, never of HTML; a link opens elsewhere and tells nothing of this page. */
export function NoteText({ text }: { readonly text: string }) {
  return (
    <div class="note-text">
      {readMarkdown(text).map((block, i) => (
        <NoteLine key={i} block={block} />
      ))}
    </div>
  );
}

function NoteLine({ block }: { readonly block: Block }) {
  const inside = block.spans.map((span, i) => <Piece key={i} span={span} />);
  const style = { marginLeft: `${block.depth * 16}px` };
  if (block.kind === "rule") return <hr />;
  if (block.kind === "code") return <pre style={style}>{inside}</pre>;
  if (block.kind === "heading")
    return (
      <p class={`note-heading level-${block.level ?? 1}`} role="heading" aria-level={Math.min(6, 2 + (block.level ?? 1))} style={style}>
        {inside}
      </p>
    );
  return (
    <p class={block.isQuote ? "quote" : ""} style={style}>
      {block.marker !== undefined && <span class="note-marker">{block.marker} </span>}
      {inside}
    </p>
  );
}

function Piece({ span }: { readonly span: Span }) {
  let piece: ComponentChildren = span.code ? <code>{span.text}</code> : span.text;
  if (span.bold) piece = <strong>{piece}</strong>;
  if (span.italic) piece = <em>{piece}</em>;
  if (span.struck) piece = <s>{piece}</s>;
  if (span.href !== undefined)
    piece = (
      <a href={span.href} target="_blank" rel="noreferrer noopener">
        {piece}
      </a>
    );
  return <>{piece}</>;
}
