// What a form wants of a line, and what it still lacks, in words. Pure data, no document.

import { counted } from "../text/numbers.js";
import { partnerOf, rhymeWord, specLines } from "./poem.js";

const FEET = { iambic: 2, trochaic: 2, anapestic: 3, dactylic: 3 };
const LENGTHS = ["dimeter", "trimeter", "tetrameter", "pentameter", "hexameter", "heptameter"];

/** What the line of an index must have, by what stands in the other lines: a list of phrases. */
export function wantsOf(spec, lines, index) {
  const wanted = specLines(spec);
  const line = wanted[index];
  const said = line.refrain && lines[line.refrain - 1];
  if (said) return [`line ${line.refrain} again: “${said.text.trim()}”`];
  const source = line.refrain ? wanted[line.refrain - 1] : line;
  return [
    ranged(syllablesOf(source), "syllable"),
    ranged(rangeOf(line.characters), "letter"),
    line.acrostic ? `${line.acrostic.toUpperCase()} as its first letter` : "",
    line.start ? `“${line.start}” at its start` : "",
    line.text ? `the words “${line.text}”` : "",
    rhymeOf(wanted, lines, index),
    line.end || line.tail ? `“${line.end ?? line.tail}” at its end` : "",
  ].filter(Boolean);
}

/** What the poem still lacks, and what its line at `index`, or the first that lacks, must have. */
export function missingOf(spec, lines, index = lines.length) {
  const wanted = specLines(spec);
  const left = wanted.length - lines.length;
  const toGo = left > 0 ? `${counted(left, "line")} to go` : "";
  const wants = index < wanted.length ? listed(wantsOf(spec, lines, index)) : "";
  const told = wants && `line ${index + 1} wants ${wants}`;
  const text = [toGo, told].filter(Boolean).join("; ");
  return text && `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function rhymeOf(wanted, lines, index) {
  const letters = wanted.map((line) => line.rhyme);
  const partner = partnerOf(letters.slice(0, Math.max(lines.length, index + 1)), index);
  if (!lines[partner] || partner === index) return "";
  const word = rhymeWord(lines[partner].text, wanted[partner].tail);
  return word && `a rhyme on “${word}”`;
}

/** [least, most] syllables by the line's count or metre; null where both are free. */
function syllablesOf({ syllables, metre }) {
  if (metre == null) return rangeOf(syllables);
  const places = [metre].flat().map(placesOf);
  return [Math.min(...places), Math.max(...places)];
}

function placesOf(metre) {
  const [foot, length] = metre.split(" ");
  return length ? FEET[foot] * (2 + LENGTHS.indexOf(length)) : metre.length;
}

const rangeOf = (count) => (count == null ? null : [count, count].flat().slice(-2));

function ranged(range, unit) {
  if (!range) return "";
  const [least, most] = range;
  return counted(least === most ? most : `${least} to ${most}`, unit);
}

const listed = (parts) =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
