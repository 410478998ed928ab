// Lines of a text and of a generation: where one begins, none that is empty in front, and how much of what
// was asked for is left. Knows nothing of where the text goes.

/** The events of a generation's one text without the line ends in front of it. */
export async function* withoutLead(events) {
  let hasBegun = false;
  for await (const event of events) {
    if (event.kind !== "text" || hasBegun) yield event;
    else {
      const text = event.text.replace(/^\n+/, "");
      hasBegun = text !== "";
      if (hasBegun) yield { ...event, text };
    }
  }
}

/** Where a text may end at the latest: fields of a request for so many whole lines. */
export const wholeLinesEnds = (count) => ({
  max_lines: count,
  max_stanzas: null,
  soft_end: null,
  max_tokens: 200 * count, // a line ends long before
  min_tokens: 20, // a poem not at once
});

/** Where what is left of a request may end, whose text broke off after `text`: fields of another one.
 * The first line of all is a title, and no stanza, where it stands alone. */
export function endsLeft({ prompt, max_tokens, max_lines, max_stanzas, soft_end }, text) {
  const written = [...text].length;
  const lines = text.split("\n").slice(0, -1);
  const isBlank = (line) => !line.trim();
  const isTitle = (end) =>
    (prompt + lines.slice(0, end).join("\n")).split("\n").filter((line) => !isBlank(line)).length === 1;
  const stanzas = lines.filter(
    (line, index) => isBlank(line) && index > 0 && !isBlank(lines[index - 1]) && !isTitle(index),
  );
  const left = (most, done) => (most == null ? null : Math.max(most - done, 1));
  return {
    max_tokens: left(max_tokens, written),
    max_lines: left(max_lines, lines.filter((line) => !isBlank(line)).length),
    max_stanzas: left(max_stanzas, stanzas.length),
    soft_end: soft_end == null ? null : Math.max(soft_end - written, 0),
  };
}

/** The last lines of a text that are not blank, and all behind them. */
export function lastLines(text, count) {
  let start = text.trimEnd().length;
  for (let line = 0; line < count && start > 0; line++) start = text.lastIndexOf("\n", start - 1);
  return text.slice(Math.max(start, 0)).replace(/^\n/, "");
}

/** A text's lines beside each other, to be quoted. */
export const onOneLine = (text) => text.trim().replace(/\s*\n\s*/g, " / ");

/** Where the line of a position begins. */
export const lineStart = (text, position) =>
  position > 0 ? text.lastIndexOf("\n", position - 1) + 1 : 0;

/** The whole lines of a text within its first characters; "" where there is none. */
export const wholeLines = (text, most) => text.slice(0, Math.max(text.lastIndexOf("\n", most), 0));
