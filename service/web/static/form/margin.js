// The margin beside the ink: each line's syllables and its rhyme letter, which begins anew with
// each stanza, and what stands word for word in the model's training text marked in the lines.
// Numbers are attributes of the ink's lines, marks are ranges over them: the ink itself is not
// touched, and a line that it draws anew gets its own again before it is seen.

import { byId, el, oncePerFrame } from "../dom.js";
import { remember } from "../keep/store.js";
import { notify, sentence } from "../notices.js";
import { onOneLine } from "../text/lines.js";
import { LOADED } from "../text/manuscript.js";
import { stanzasOf } from "./poem.js";
import { askable, Readings } from "./readings.js";

const KEPT = "counts";
const AFTER_MS = 150; // of a change
const WRITING_MS = 800; // while the machine writes
const MARK = "copied";

export class Margin {
  #timer = null;
  #before = []; // what was told of each line
  #copies = []; // {start, end, text, title} on the sheet
  #observer;

  constructor({ manuscript, sheet, models, write }) {
    Object.assign(this, { manuscript, sheet, write });
    this.isOn = false;
    this.readings = new Readings({
      getModel: () => models.chosen,
      onAnswer: () => this.#draw(),
      onFault: (error) => notify(`The lines cannot be read now. ${sentence(error.message)}`),
    });
    this.#observer = new MutationObserver(() => this.#draw());
    this.listCopies = oncePerFrame(() => this.#listCopies());
    manuscript.onChange(({ origin }) => {
      if (origin === LOADED) this.#before = [];
      this.#later();
    });
    models.onChange(() => {
      this.readings.forget();
      this.#later();
    });
  }

  turn(isOn) {
    this.isOn = isOn;
    remember(KEPT, isOn);
    byId("stack").classList.toggle("counted", isOn);
    this.#observer.disconnect();
    if (isOn) this.#observer.observe(byId("ink"), { childList: true });
    if (isOn) this.#look();
    this.#draw();
  }

  #later() {
    if (!this.isOn || this.#timer !== null) return;
    const later = () => {
      this.#timer = null;
      if (this.isOn) this.#look();
    };
    this.#timer = setTimeout(later, this.write.isWriting ? WRITING_MS : AFTER_MS);
  }

  /** Ask for what is not known yet, from the caret on and then from the beginning. */
  #look() {
    const stanzas = this.#stanzas();
    const caret = this.sheet.area.selectionEnd;
    const at = stanzas.findIndex((lines) => lines[lines.length - 1].end >= caret);
    const first = at < 0 ? Math.max(stanzas.length - 1, 0) : at;
    this.readings.want([...stanzas.slice(first), ...stanzas.slice(0, first)]);
  }

  #stanzas() {
    return stanzasOf(this.manuscript.text).flatMap(askable);
  }

  #draw() {
    const rows = this.isOn ? this.#told() : [];
    const nodes = byId("ink").children;
    if (this.isOn && nodes.length !== rows.length) return; // the ink has not been drawn yet
    for (let index = 0; index < nodes.length; index++) mark(nodes[index], rows[index]);
    this.#before = rows;
    this.#markCopies(nodes);
    this.listCopies();
  }

  /** What is to be told of each line of the sheet; of one that has just been changed what was. */
  #told() {
    const rows = new Array(this.manuscript.text.split("\n").length);
    const isSameLength = rows.length === this.#before.length;
    this.#copies = [];
    for (const stanza of this.#stanzas()) {
      const reading = this.readings.of(stanza);
      stanza.forEach(({ row }, index) => {
        if (reading) rows[row] = reading.lines[index];
        else if (isSameLength) rows[row] = this.#before[row];
      });
      const at = stanza[0].start;
      for (const run of reading?.copied ?? [])
        this.#copies.push({ ...run, start: at + run.start, end: at + run.end });
    }
    return rows;
  }

  #markCopies(nodes) {
    if (!globalThis.Highlight) return; // told in the list all the same
    const lines = this.manuscript.text.split("\n");
    const ranges = [];
    let [row, at] = [0, 0];
    for (const { start, end } of this.#copies.toSorted((one, other) => one.start - other.start)) {
      while (at + lines[row].length < start) at += lines[row++].length + 1;
      for (let line = row, from = at; line < lines.length && from < end; line++) {
        const close = Math.min(end - from, lines[line].length);
        ranges.push(...rangesOf(nodes[line], Math.max(start - from, 0), close));
        from += lines[line].length + 1;
      }
    }
    if (ranges.length) CSS.highlights.set(MARK, new Highlight(...ranges));
    else CSS.highlights.delete(MARK);
  }

  #listCopies() {
    const copies = this.isOn ? this.#copies : [];
    const told = copies.map(({ text, title }) => `${title}\n${text}`).join("\n\n");
    byId("copied").hidden = copies.length === 0;
    if (byId("copied").dataset.told === told) return;
    byId("copied").dataset.told = told;
    const many = copies.length === 1 ? "1 passage stands" : `${copies.length} passages stand`;
    byId("copied-count").textContent = `${many} word for word in what the model has read`;
    byId("copied-list").replaceChildren(...copies.map((_, index) => this.#entry(index)));
  }

  #entry(index) {
    const show = () => {
      const { start, end } = this.#copies[index];
      this.sheet.select(start, end);
      this.sheet.area.focus();
    };
    const { text, title } = this.#copies[index];
    const button = el(
      "button",
      { type: "button", class: "link", onclick: show },
      `“${onOneLine(text)}”`,
    );
    return el("li", {}, button, ` ${title}`);
  }
}

function mark(node, told) {
  const unsure = told && !told.isSure ? "?" : "";
  set(node, "syllables", `${told?.syllables ?? ""}${unsure}`);
  set(node, "rhyme", told?.rhyme ?? "");
}

function set(node, name, value) {
  if ((node.dataset[name] ?? "") === value) return;
  if (value) node.dataset[name] = value;
  else delete node.dataset[name];
}

/** Ranges over a line's letters between two places in it. */
function rangesOf(node, start, end) {
  const ranges = [];
  const letters = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  for (let at = 0; letters.nextNode(); at += letters.currentNode.length) {
    const [from, to] = [start - at, end - at].map((place) =>
      Math.min(Math.max(place, 0), letters.currentNode.length),
    );
    if (from === to) continue;
    const range = new Range();
    range.setStart(letters.currentNode, from);
    range.setEnd(letters.currentNode, to);
    ranges.push(range);
  }
  return ranges;
}
