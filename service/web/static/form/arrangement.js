// A song as an arrangement of sections, each kind with a pattern such as "ABAB 8 6": rhyme letters,
// "-" or "x" for a line without, then syllables, which are taken in turn where they are fewer than lines.
// A chorus says the same words each time. Pure data, no document.

import { labelOf } from "../text/sections.js";
import { LETTERS } from "./poem.js";

const REPEATED = new Set(["chorus", "pre-chorus", "post-chorus", "refrain", "hook"]);
const PATTERN = /^([A-Za-z-]{1,40})((?:\s+\d{1,2})*)$/;
const FREE = new Set("-x");
const MOST_SYLLABLES = 30;
const MOST_LINES = 120;

export const FIRST = {
  sections: "verse chorus verse chorus bridge chorus",
  patterns: { verse: "ABAB 8", chorus: "ABAB 8 6", bridge: "AA 10" },
};
const USUAL = "ABAB 8"; // of any other kind

/** The kinds of sections that an arrangement names, in their order, separated by anything. */
export const sectionsIn = (text) =>
  text
    .toLowerCase()
    .replace(/\b(pre|post)[ -]?chorus/g, "$1-chorus")
    .match(/[\p{L}-]+/gu) ?? [];

export const patternFor = (patterns, kind) => patterns[kind] ?? FIRST.patterns[kind] ?? USUAL;

/** {spec, labels} of a song; `labels` are lines, one a stanza. Raises RangeError, which says what is
 * wrong. */
export function arranged(sections, patterns) {
  const kinds = sectionsIn(sections);
  if (!kinds.length) throw new RangeError("Which sections should the song have?");
  const letters = LETTERS[Symbol.iterator]();
  const sung = new Map(); // by kind: the number of its first line, and its lines
  const times = {};
  const stanzas = [];
  const labels = [];
  let number = 1;
  for (const kind of kinds) {
    times[kind] = (times[kind] ?? 0) + 1;
    const again = REPEATED.has(kind) && sung.get(kind);
    const lines = again
      ? again.lines.map(({ rhyme }, index) => ({
          refrain: again.number + index,
          ...(rhyme && { rhyme }),
        }))
      : relettered(linesOf(patternFor(patterns, kind), kind), letters);
    if (!again) sung.set(kind, { number, lines });
    number += lines.length;
    stanzas.push(lines);
    labels.push(labelOf(kind, times[kind]));
  }
  if (number - 1 > MOST_LINES)
    throw new RangeError(`The song has ${number - 1} lines, and ${MOST_LINES} are the most.`);
  return { spec: { name: "song", stanzas }, labels };
}

/** The labels of a form that is a song by its name. */
export const SONG_LABELS = arranged(FIRST.sections, FIRST.patterns).labels;

function linesOf(pattern, kind) {
  const [, scheme, numbers] = PATTERN.exec(pattern.trim()) ?? [];
  const counts = numbers?.match(/\d+/g)?.map(Number) ?? [];
  if (!scheme || counts.some((count) => count < 1 || count > MOST_SYLLABLES)) {
    const wanted = `rhyme letters and then syllables, 1 to ${MOST_SYLLABLES}, such as ABAB 8 6`;
    throw new RangeError(`The ${kind} is “${pattern.trim()}”, and should be ${wanted}.`);
  }
  return [...scheme].map((letter, index) => ({
    ...(!FREE.has(letter) && { rhyme: letter.toUpperCase() }),
    ...(counts.length && { syllables: counts[index % counts.length] }),
  }));
}

/** The lines with letters that no other section has; a letter that comes once rhymes with none. */
function relettered(lines, letters) {
  const own = {};
  return lines.map(({ rhyme, ...line }) => {
    const isAlone = lines.filter((other) => other.rhyme === rhyme).length < 2;
    if (!rhyme || isAlone) return line;
    own[rhyme] ??= letters.next().value;
    if (!own[rhyme]) throw new RangeError("The song has more than 26 rhymes.");
    return { ...line, rhyme: own[rhyme] };
  });
}

/** What lines must have to be like these, as /v1/analyze has said them. */
export const linesLike = (said) =>
  said.map(({ rhyme, syllables }) => ({
    ...(/^[A-Z]$/.test(rhyme ?? "") && { rhyme }),
    ...(syllables.length && { syllables: syllables[0] }),
  }));

/** The pattern of such lines. */
export function patternOf(lines) {
  const scheme = lines.map(({ rhyme }) => rhyme ?? "-").join("");
  const counts = lines.map(({ syllables }) => syllables);
  if (counts.some((count) => count === undefined)) return scheme;
  const period = counts.findIndex(
    (_, size) => size > 0 && counts.every((count, index) => count === counts[index % size]),
  );
  return [scheme, ...counts.slice(0, period > 0 ? period : counts.length)].join(" ");
}

/** What turns a poem's pieces, as they come, into a labelled song's. */
export function labelled(labels) {
  let stanza = 0;
  return (piece) =>
    piece.startsWith("\n\n") ? `\n\n${labels[++stanza]}\n${piece.slice(2)}` : piece;
}
