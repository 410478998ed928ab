// Rhymes for a line: which word it should rhyme with, where the rhyme goes, and the palettes that
// offer some, under a line of the list and at the caret.

import { getJson } from "../service/client.js";
import { byId } from "../dom.js";
import { announce, notify } from "../notices.js";
import { lineStart } from "../text/lines.js";
import { ME } from "../text/piece.js";
import { promptBefore } from "../text/prompt.js";
import { CaretPalette } from "./caret_palette.js";
import { Palette } from "./palette.js";
import { partnerOf, rhymePlace, rhymeWord, specLines, stanzasOf } from "./poem.js";
import { analysisOf } from "./readings.js";

const MOST_WORDS = 5; // to choose among, which to rhyme with
const MOST_RHYMES = 36; // at the caret

export class Rhymes {
  #palette = new Palette();

  constructor({ manuscript, sheet, models, prosody }) {
    Object.assign(this, { manuscript, sheet, models, prosody });
    this.caret = new CaretPalette(sheet);
  }

  /** Show under a line of the list what rhymes with its partner, or with itself where it has none. */
  async under(index) {
    const { poem, letters } = this.prosody;
    const line = poem.lines[index];
    const partner = partnerOf(letters, index);
    const word = rhymeWord(poem.lines[partner]?.text ?? line.text, this.#tailOf(partner));
    const at = line.start + rhymePlace(line.text, this.#tailOf(index)).start;
    await this.#palette.toggle(byId("poem-lines").children[index], {
      word,
      context: this.#contextBefore(at),
      model: this.models.chosen,
      onTake: (rhyme) => {
        this.prosody.locate();
        const now = this.prosody.poem?.lines[index];
        if (now) this.#take(now, this.#tailOf(index), rhyme);
      },
    });
  }

  /** Show words for the end of the caret's line at the caret, chosen by keys. */
  async atCaret() {
    const { end: position } = this.sheet.selection;
    this.prosody.locate();
    const line = this.#lineAt(position);
    const words = await this.#partnersOf(line);
    if (!words.length) return notify("There is no line yet that this one could rhyme with.");
    const tail = this.#tailOf(line.index);
    const context = this.#contextBefore(line.start + rhymePlace(line.text, tail).start);
    await this.caret.open({
      position: Math.min(line.end, position),
      words,
      find: (word) => {
        const body = { word, context, model: this.models.chosen, limit: MOST_RHYMES };
        return getJson("/v1/rhymes", { body });
      },
      onTake: (rhyme) => this.#take(this.#lineAt(line.start), tail, rhyme),
    });
  }

  /** The line at a position, its place in the form's poem (-1: none), and the lines above it. */
  #lineAt(position) {
    const { text } = this.manuscript;
    const start = lineStart(text, position);
    const line = text.slice(start).split("\n", 1)[0];
    const stanzas = stanzasOf(text.slice(0, start));
    const above = stanzas.at(-1)?.at(-1).end === start - 1 ? stanzas.pop() : [];
    const before = stanzas.pop() ?? [];
    return {
      start,
      end: start + line.length,
      text: line,
      index: this.#indexAt(start),
      above,
      before,
    };
  }

  #indexAt(start) {
    const { poem, spec } = this.prosody;
    if (!spec) return -1;
    const { length } = poem.lines;
    if (start > poem.end) return length < specLines(spec).length ? length : -1;
    return poem.lines.findIndex((line) => line.start === start);
  }

  /** The words that a line may rhyme with, that which it most likely should first. */
  async #partnersOf({ index, above, before, text }) {
    const { poem, spec } = this.prosody;
    const letters = index < 0 ? [] : specLines(spec).map((line) => line.rhyme);
    const partner = poem?.lines[partnerOf(letters.slice(0, poem.lines.length), index)];
    const wordOf = (line) => rhymeWord(line.text, this.#tailOf(this.#indexAt(line.start)));
    const first = partner ? wordOf(partner) : await this.#guess(above, before);
    const others = above.toReversed().map(wordOf);
    const own = rhymeWord(text);
    const words = [first, ...others, above.length ? "" : own].filter(Boolean);
    return [...new Set(words)].slice(0, MOST_WORDS);
  }

  /** The word to rhyme with by the stanza before, if that has a partner for such a line; else by the nearest
   * line without one. */
  async #guess(above, before) {
    if (!above.length) return "";
    const both = [before, above].filter((lines) => lines.length);
    const { lines } = await analysisOf(both, this.models.chosen);
    const letters = lines.map((line) => (line.rhyme === "-" ? null : line.rhyme));
    const [model, own] = [letters.slice(0, before.length), letters.slice(before.length)];
    const partner = partnerOf(model.slice(0, above.length + 1), above.length);
    const at = partner >= 0 ? partner : own.lastIndexOf(null);
    return rhymeWord(above[at]?.text ?? above.at(-1).text);
  }

  /** Put a word at a line's end, in place of its last one. */
  #take(line, tail, rhyme) {
    const { start, end } = rhymePlace(line.text, tail);
    this.manuscript.change(line.start + start, line.start + end, [{ text: rhyme, by: ME }]);
    this.sheet.select(line.start + start + rhyme.length);
    announce(`${rhyme} is in the line`);
  }

  #contextBefore(position) {
    return promptBefore(this.manuscript.text, position).trimEnd();
  }

  #tailOf(index) {
    return (this.prosody.spec && specLines(this.prosody.spec)[index]?.tail) ?? "";
  }
}
