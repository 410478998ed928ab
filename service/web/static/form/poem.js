// A poem on the sheet: which lines a form's are, and the form with some of them kept as they are.
// Pure data, no document.
// A poem is {start, end, lines: [{start, end, text, row}], stanzas, fits}; `row` counts all lines of the sheet,
// `fits` says whether the form has its stanzas, the last one perhaps not yet whole.

import { lineStart } from "../text/lines.js";
import { kindOf } from "../text/sections.js";

export const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
// As the service reads words: hyphens and apostrophes join letters, dashes part them.
const WORD = /['’]?[\p{L}\p{N}]+(?:(?:['’‘]|-(?!-))[\p{L}\p{N}]+)*['’]?/gu;

/** The words of a line: {text, start, end}. */
export const wordsOf = (line) =>
  [...line.matchAll(WORD)].map(({ 0: text, index }) => ({
    text,
    start: index,
    end: index + text.length,
  }));

/** The word at a position; null where none is. */
export function wordAt(text, { start, end }) {
  const open = lineStart(text, start);
  const line = text.slice(open).split("\n", 1)[0];
  const touches = (word) => open + word.start <= end && open + word.end >= start;
  return wordsOf(line).find(touches)?.text ?? null;
}

/** Lists of lines, parted by empty ones and by those that name sections. */
export function stanzasOf(text) {
  const stanzas = [[]];
  let start = 0;
  text.split("\n").forEach((line, row) => {
    const end = start + line.length;
    const last = stanzas[stanzas.length - 1];
    if (sent(line).trim() && kindOf(line) === null) last.push({ start, end, text: line, row });
    else if (last.length) stanzas.push([]);
    start = end + 1;
  });
  return stanzas.filter((stanza) => stanza.length);
}

/** The stanza that a position touches. */
export const stanzaAt = (text, position) =>
  stanzasOf(text).find((lines) => lines[0].start <= position && position <= lines.at(-1).end);

/** The lines of verse between two positions. */
export const linesIn = (text, { start, end }) =>
  stanzasOf(text)
    .flat()
    .filter((line) => line.start >= start && line.end <= end);

/** Lines as they are sent: what parts lines for the service, but not on a sheet, is a space, and a
 * half character is a sign for one. */
const sent = (line) => line.replace(/[\r\x0B\x0C\x1C-\x1F\x85\u2028\u2029]/g, " ").toWellFormed();

/** The text of stanzas as it is sent: without section labels, an empty line between two. */
export const sentText = (stanzas) =>
  stanzas.map((lines) => lines.map((line) => sent(line.text)).join("\n")).join("\n\n");

/** Where a new stanza goes: behind the one at a position, with what parts it from its neighbours;
 * right below a label that waits for one. */
export function placeBehind(text, position) {
  const at = stanzaAt(text, position)?.at(-1).end ?? position;
  const [before, after] = [text.slice(0, at), text.slice(at)];
  const gap = (newlines) => "\n".repeat(2 - newlines.length);
  const last = before.slice(before.lastIndexOf("\n", before.length - 2) + 1, -1);
  const isNamed = before.endsWith("\n") && kindOf(last) !== null;
  return {
    at,
    lead: before.trim() && !isNamed ? gap(/\n{0,2}$/.exec(before)[0]) : "",
    tail: after.trim() ? gap(/^\n{0,2}/.exec(after)[0]) : "",
  };
}

/** The poem at a position: as many stanzas there as `sizes`, numbers of lines, ask for; else the
 * one stanza. Null on an empty sheet. */
export function poemAt(text, position, sizes) {
  const stanzas = stanzasOf(text);
  if (!stanzas.length) return null;
  const at = Math.max(
    stanzas.findLastIndex(([line]) => line.start <= position),
    0,
  );
  for (let first = Math.max(at - sizes.length + 1, 0); first <= at; first++) {
    const run = fitting(stanzas.slice(first), sizes);
    if (first + run.length > at) return poemOf(run, true);
  }
  return poemOf([stanzas[at]], false);
}

/** The stanzas in front that have those sizes; the last one may have fewer lines. */
function fitting(stanzas, sizes) {
  const odd = sizes.findIndex((size, index) => stanzas[index]?.length !== size);
  if (odd < 0) return stanzas.slice(0, sizes.length);
  return stanzas.slice(0, stanzas[odd]?.length < sizes[odd] ? odd + 1 : odd);
}

function poemOf(stanzas, fits) {
  const lines = stanzas.flat();
  return { start: lines[0].start, end: lines[lines.length - 1].end, lines, stanzas, fits };
}

/** A form's spec; `word` takes the place of the example's in forms that are made for one. */
export function specOf({ name, spec, takes_word: takesWord }, word) {
  if (!takesWord) return spec;
  const lines = spec.stanzas.flat();
  if (name === "acrostic") return { ...spec, stanzas: [acrosticLines(word, lines[0].metre)] };
  const ending = (line) => (line.tail ? { ...line, tail: word } : line);
  return { ...spec, stanzas: spec.stanzas.map((stanza) => stanza.map(ending)) };
}

/** Rhymed in couplets; an odd last line rhymes with none. */
function acrosticLines(word, metre) {
  const letters = word.match(/\p{L}/gu) ?? [];
  return letters.map((acrostic, index) => {
    const isOdd = index === letters.length - 1 && index % 2 === 0;
    return isOdd ? { acrostic, metre } : { acrostic, metre, rhyme: LETTERS[index >> 1] };
  });
}

/** The spec's lines one after the other. */
export const specLines = (spec) => spec.stanzas.flat();

/** The spec with the kept ones of these lines as they stand: only their rhyme still counts.
 * A refrain that says its line goes on doing so. `isKept` is told a line's index. */
export function withKept(spec, lines, isKept) {
  const wanted = specLines(spec);
  const asked = wanted.map((line, index) => {
    if (!lines[index] || !isKept(index)) return line;
    const said = line.refrain && lines[line.refrain - 1].text === lines[index].text;
    if (said) return line;
    return { text: lines[index].text.trim(), ...(line.rhyme && { rhyme: line.rhyme }) };
  });
  return { ...spec, stanzas: spec.stanzas.map((stanza) => asked.splice(0, stanza.length)) };
}

/** The spec's first lines. */
export function shortened(spec, count) {
  const lines = specLines(spec).slice(0, count);
  const stanzas = spec.stanzas.map((stanza) => lines.splice(0, stanza.length));
  return { ...spec, stanzas: stanzas.filter((stanza) => stanza.length) };
}

/** The nearest other line that should rhyme with this one, by the lines' letters; before it first. */
export function partnerOf(letters, index) {
  const letter = letters[index];
  if (!letter || letter === "-") return -1;
  const before = letters.lastIndexOf(letter, index - 1);
  return index > 0 && before >= 0 ? before : letters.indexOf(letter, index + 1);
}

/** Where a rhyme goes in a line: {start, end} of its last word before `tail`, or the place behind
 * a space that waits for one. */
export function rhymePlace(line, tail = "") {
  const body = tail ? line.slice(0, tailStart(line, tail)) : line;
  if (!tail && /\s$/.test(line)) return { start: line.length, end: line.length };
  const last = wordsOf(body).pop();
  return last ? { start: last.start, end: last.end } : { start: line.length, end: line.length };
}

/** The word that a line should be rhymed with. */
export function rhymeWord(line, tail = "") {
  const { start, end } = rhymePlace(line.trimEnd(), tail);
  return line.slice(start, end);
}

function tailStart(line, tail) {
  const at = line.toLowerCase().lastIndexOf(tail.toLowerCase());
  return at < 0 ? line.length : at;
}

/** A poem's spans: lines that are as they were keep who wrote them, the others are `by` the new one.
 * Stanzas that it had not yet get their `labels`, if there are any. */
export function version({ piece, poem }, lines, by, labels = []) {
  const from = (position) => position - poem.start;
  return lines.flatMap((line, index) => {
    const [before, own] = [poem.lines[index - 1], poem.lines[index]];
    const gap = own && before ? piece.slice(from(before.end), from(own.start)) : [];
    const isSame = own && own.text.trim() === line.text;
    return [
      ...(index > 0 && !own ? [{ text: gapBefore(lines, index, labels), by }] : gap),
      ...(isSame ? piece.slice(from(own.start), from(own.end)) : [{ text: line.text, by }]),
    ];
  });
}

/** What parts a line of a new stanza or the same one from the line before. */
function gapBefore(lines, index, labels) {
  if (!lines[index - 1].ends_stanza) return "\n";
  const label = labels[lines.slice(0, index).filter((line) => line.ends_stanza).length];
  return label ? `\n\n${label}\n` : "\n\n";
}
