// The sheet's content over time: a piece, its undo and redo, and the generations that wrote in it.
// Whatever changes it goes through `change`, and listeners are told {start, removed, added, origin}
// (two lengths, and who did it). Pure data, no document.

import { joined, lengthOf, ME, Piece, signOf } from "./piece.js";

export const TYPING = "typing";
export const UNDO = "undo"; // and redo
const MOST_STEPS = 500;
const PAUSE_MS = 1500; // typing after such a pause is a step of its own

export class Manuscript {
  #done = [];
  #undone = [];
  #listeners = new Set();

  constructor(spans = [], generations = {}) {
    this.piece = new Piece(spans);
    this.generations = generations; // by number: {model, seed, settings}, {poem} for what a form was asked with,
    // and {sign} where a link can repeat it
  }

  get text() {
    return this.piece.text;
  }

  /** Gives back what ends the listening. */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A number for what a generation will write, and what is to be known of it. */
  addGeneration(facts) {
    const by = 1 + Math.max(ME, ...Object.keys(this.generations).map(Number));
    this.generations[by] = facts;
    return by;
  }

  /** Note what a generation was given and what it wrote, to tell later whether both still stand. */
  sign(by, prompt, text) {
    this.generations[by].sign = signOf(prompt, text);
  }

  /** The generations of which something still stands. */
  get standing() {
    const numbers = new Set(this.piece.spans.map((span) => span.by));
    numbers.delete(ME);
    return [...numbers].sort((a, b) => a - b).map((by) => ({ by, ...this.generations[by] }));
  }

  /** Replace a range. Changes of one `step` that touch each other are undone together. */
  change(start, end, spans, { step, origin } = {}) {
    const removed = this.piece.replace(start, end, spans);
    this.#undone = [];
    const entry = { start, removed, added: spans, step, at: performance.now() };
    if (!this.#joinsLast(entry)) this.#done.push(entry);
    if (this.#done.length > MOST_STEPS) this.#done.shift();
    this.#tell({ start, removed: lengthOf(removed), added: lengthOf(spans), origin });
  }

  type(start, end, text) {
    this.change(start, end, text ? [{ text, by: ME }] : [], { step: TYPING, origin: TYPING });
  }

  /** Steps back once; the position behind what came back, or null when there is nothing. */
  undo() {
    const entry = this.#done.pop();
    if (!entry) return null;
    this.#undone.push(entry);
    return this.#swap(entry.start, entry.added, entry.removed);
  }

  redo() {
    const entry = this.#undone.pop();
    if (!entry) return null;
    this.#done.push(entry);
    return this.#swap(entry.start, entry.removed, entry.added);
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  #swap(start, from, to) {
    this.piece.replace(start, start + lengthOf(from), to);
    this.#tell({ start, removed: lengthOf(from), added: lengthOf(to), origin: UNDO });
    return start + lengthOf(to);
  }

  #joinsLast(entry) {
    const last = this.#done[this.#done.length - 1];
    if (!last || last.step !== entry.step || entry.step === undefined) return false;
    const isTyping = entry.step === TYPING;
    if (isTyping && (entry.at - last.at > PAUSE_MS || lengthOf(entry.added) > 1)) return false;
    const end = last.start + lengthOf(last.added);
    if (!entry.removed.length && entry.start === end) {
      last.added = joined([...last.added, ...entry.added]);
    } else if (isTyping && isBackspace(last, entry)) {
      last.removed = joined([...entry.removed, ...last.removed]);
      last.start = entry.start;
    } else return false;
    last.at = entry.at;
    return true;
  }

  #tell(change) {
    for (const listener of this.#listeners) listener(change);
  }
}

function isBackspace(last, entry) {
  const bothOnlyRemove = !last.added.length && !entry.added.length;
  return bothOnlyRemove && entry.start + lengthOf(entry.removed) === last.start;
}
