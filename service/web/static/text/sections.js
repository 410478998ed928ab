// Sections of a song: lines such as "[Verse 1]" or "Chorus:" that say what follows, and what belongs
// to them. Such a line is no verse. Pure data, no document.
// A section is {kind, label, start, body: {start, end, text}}: from its label's line to the next
// label, the body without blank lines around it.

export const KINDS = ["verse", "pre-chorus", "chorus", "bridge", "intro", "outro"];

const NAME =
  "(verse|(?:pre|post)[- ]?chorus|chorus|bridge|refrain|hook|intro|outro|interlude|instrumental|" +
  "solo|break|coda|tag|middle eight|strophe|part)";
const NUMBER = "(?:\\s*(?:\\d{1,2}|[ivx]{1,4}))";
const TIMES = "(?:\\s*\\(?x\\s*\\d{1,2}\\)?)";
const LABELS = [
  `\\[\\s*${NAME}${NUMBER}?${TIMES}?\\s*(?:[:,(\u2013\u2014-][^\\[\\]]*)?\\]:?`,
  `\\(\\s*${NAME}${NUMBER}?${TIMES}?\\s*\\)`,
  `${NAME}${NUMBER}?${TIMES}?\\s*:`,
  `${NAME}${NUMBER}`,
  "((?:pre-)?chorus)\\.?",
].map((pattern) => new RegExp(`^\\s*${pattern}\\s*$`, "i"));

const ANY = new RegExp(NAME, "i");

/** What kind of section a line names; null for a line of verse. */
export function kindOf(line) {
  if (line.length > 80 || !ANY.test(line)) return null;
  const found = LABELS.map((label) => label.exec(line)).find(Boolean);
  return found ? found[1].toLowerCase().replace(/^(pre|post)[- ]?chorus/, "$1-chorus") : null;
}

/** The sections of a text, in their order. */
export function sectionsOf(text) {
  const sections = [];
  let start = 0;
  for (const line of text.split("\n")) {
    const end = start + line.length;
    const kind = kindOf(line);
    const last = sections[sections.length - 1];
    if (kind) sections.push({ kind, label: line.trim(), start, end, body: null });
    else if (last && line.trim()) last.body = { start: last.body?.start ?? start, end };
    start = end + 1;
  }
  return sections.map(({ body, end, ...section }) => {
    const { start, end: close } = body ?? { start: end, end };
    return { ...section, body: { start, end: close, text: text.slice(start, close) } };
  });
}

/** The section that a position lies in; null before the first. */
export const sectionAt = (text, position) =>
  sectionsOf(text).findLast(({ start }) => start <= position) ?? null;

/** A label for a new section of a kind at a position; verses are counted. */
export function labelFor(text, kind, position) {
  const before = sectionsOf(text).filter((each) => each.kind === kind && each.start < position);
  return labelOf(kind, before.length + 1);
}

/** The label of a section that is the first, second ... of its kind. */
export function labelOf(kind, time) {
  const name = kind.charAt(0).toUpperCase() + kind.slice(1);
  return kind === "verse" ? `[${name} ${time}]` : `[${name}]`;
}

/** A text without the lines that name sections. */
export function withoutLabels(text) {
  if (!ANY.test(text)) return text;
  const isVerse = (line) => kindOf(line) === null;
  return text.split("\n").filter(isVerse).join("\n");
}
