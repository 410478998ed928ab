// The sheet that one writes on: a transparent <textarea> (caret, selection, input methods, screen
// readers) over the ink. Setting the value of a long <textarea> is slow, so while the machine
// writes only the ink follows; the <textarea> catches up as soon as somebody touches it.

import { isComposing } from "../dom.js";
import { moved } from "../text/edit.js";
import { TYPING } from "../text/manuscript.js";
import { difference } from "../text/piece.js";
import { Ink } from "./ink.js";
import { EndInSight } from "./scrolling.js";

const DIRECTIONS = { ArrowUp: -1, PageUp: -1, Home: -1, ArrowDown: 1, PageDown: 1, End: 1 }; // of reading

export class Sheet {
  #shown = ""; // what the <textarea> holds
  #behind = null; // {at, length}: written by the machine and not yet in the <textarea>
  #isComposing = false;
  #composition = TYPING; // what an input method composes is a step of its own

  constructor({ area, ink, scroller, manuscript, onUndo, onRedo }) {
    Object.assign(this, { area, manuscript, onUndo, onRedo });
    this.caretFollows = false; // the writing machine, until the user moves it
    this.#shown = area.value = manuscript.text;
    manuscript.onChange((change) => this.#onChange(change));
    this.end = new EndInSight(scroller);
    this.ink = new Ink(ink, manuscript, () => this.end.keep());
    this.#listen();
  }

  get isComposing() {
    return this.#isComposing;
  }

  /** Start and end of the selection, in the text as it is now. */
  get selection() {
    this.catchUp();
    return { start: this.area.selectionStart, end: this.area.selectionEnd };
  }

  select(start, end = start) {
    this.catchUp();
    this.area.setSelectionRange(start, end);
    this.reveal(end);
  }

  /** Where the caret is in the text as it is now, even if the <textarea> lies behind. */
  get caret() {
    return this.#moved(this.area.selectionEnd);
  }

  /** Scroll so that the line of a position is seen. */
  reveal(position) {
    this.ink.reveal(position);
    this.end.note();
  }

  /** The machine writes on from a position: the caret goes along, and so does the view at the end. */
  follow(position) {
    this.select(position);
    this.caretFollows = true;
    this.end.follow(position === this.manuscript.text.length);
  }

  /** The <textarea> holds all of the text again. */
  catchUp() {
    if (!this.#behind || this.#isComposing) return;
    const { selectionStart, selectionEnd } = this.area;
    const [start, end] = [this.#moved(selectionStart), this.#moved(selectionEnd)];
    this.#behind = null;
    this.#shown = this.area.value = this.manuscript.text;
    this.area.setSelectionRange(start, end);
  }

  /** A position in the <textarea> as one in the text. */
  #moved(place) {
    if (!this.#behind) return place;
    const { at, length } = this.#behind;
    return place > at || (place === at && this.caretFollows) ? place + length : place;
  }

  #listen() {
    const { area } = this;
    const touched = () => {
      this.catchUp();
      this.caretFollows = false;
    };
    area.addEventListener("pointerdown", touched);
    area.addEventListener("keydown", (event) => this.#onKey(event, touched));
    area.addEventListener("focus", () => this.catchUp());
    area.addEventListener("compositionstart", () => {
      this.#isComposing = true;
      this.#composition = Symbol("composition");
    });
    area.addEventListener("compositionend", () => {
      this.#isComposing = false;
      this.catchUp();
    });
    area.addEventListener("beforeinput", (event) => this.#beforeInput(event));
    area.addEventListener("input", (event) => this.#onInput(event));
  }

  #onKey(event, touched) {
    if (isComposing(event)) return touched();
    if (["Control", "Meta", "Shift", "Alt", "Escape"].includes(event.key)) return;
    const key = event.key.toLowerCase();
    this.end.go(DIRECTIONS[event.key] ?? 0);
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (isCommand && (key === "z" || key === "y")) {
      event.preventDefault();
      if (key === "y" || event.shiftKey) this.onRedo();
      else this.onUndo();
    } else if (!(isCommand && key === "enter")) touched();
  }

  #beforeInput(event) {
    this.catchUp();
    if (event.inputType === "historyUndo" || event.inputType === "historyRedo") {
      event.preventDefault();
      if (event.inputType === "historyUndo") this.onUndo();
      else this.onRedo();
    }
  }

  #onInput({ inputType }) {
    const after = this.area.value;
    const { start, end, text } = difference(this.#shown, after, this.area.selectionEnd);
    this.#shown = after;
    const late = this.#behind;
    const now = (place) => (late && place > late.at ? place + late.length : place);
    const from = now(start);
    const to = Math.max(from, now(end));
    if (late && start <= late.at) late.at = Math.max(start, late.at + text.length - (end - start));
    // Some browsers tell of the last input when the composition is over.
    const isComposed = this.#isComposing || inputType === "insertCompositionText";
    this.manuscript.type(from, to, text, isComposed ? this.#composition : TYPING);
    // The browser has looked for the caret while the sheet was still as high as before.
    if (text.includes("\n")) this.reveal(this.area.selectionEnd);
  }

  #onChange({ start, removed, added, origin }) {
    if (origin === TYPING) return;
    const late = this.#behind;
    if (!removed && late && start === late.at + late.length) late.length += added;
    else if (!removed && !late) this.#behind = { at: start, length: added };
    else this.#showAll({ start, removed, added });
  }

  /** Undo, redo and replacements come alone and are shown at once. */
  #showAll(change) {
    if (this.#behind) this.catchUp();
    const { selectionStart, selectionEnd } = this.area;
    this.#behind = null;
    this.#shown = this.area.value = this.manuscript.text;
    this.area.setSelectionRange(moved(selectionStart, change), moved(selectionEnd, change));
  }
}
