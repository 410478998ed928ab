// The sheet's content over time: a piece, its undo and redo, and the generations that wrote in it.
// Whatever changes it goes through `change`, and listeners are told {start, removed, added, origin}
// (two lengths, and who did it). Pure data, no document.

import { steps } from "./edit.js";
import { History, TYPING } from "./history.js";
import { joined, lengthOf, ME, Piece, signOf } from "./piece.js";

export const UNDO = "undo"; // and redo
export const LOADED = "loaded"; // another sheet, or this one as another tab has left it
export { TYPING };

export class Manuscript {
  #history;
  #listeners = new Set();

  /** `history` as an earlier one gave it with these spans. */
  constructor(spans = [], generations = {}, history = null) {
    this.piece = new Piece(spans);
    this.generations = generations; // by number: {model, seed, settings}, {poem} for what a form was asked with,
    // and {sign} where a link can repeat it
    this.#history = new History(history, this.piece.length);
  }

  get text() {
    return this.piece.text;
  }

  /** Undo and redo as plain JSON, the last steps of them. */
  get history() {
    return this.#history.toJSON();
  }

  /** Put another sheet's content in place of this one's. */
  load({ spans, generations = {}, history = null }) {
    const removed = this.piece.length;
    this.piece = new Piece(spans);
    this.generations = generations;
    this.#history = new History(history, this.piece.length);
    this.#tell({ start: 0, removed, added: this.piece.length, origin: LOADED });
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

  /** By number, the generations of which something stands or may come back by undo or redo. */
  get remembered() {
    const { writers } = this.#history;
    for (const { by } of this.piece.spans) writers.add(by);
    const isKnown = ([by]) => writers.has(Number(by));
    return Object.fromEntries(Object.entries(this.generations).filter(isKnown));
  }

  /** Replace a range. Changes of one `step` are undone together, whatever is typed between them;
   * those without one are a step each. */
  change(start, end, spans, { step, origin } = {}) {
    const added = joined(spans);
    const removed = this.piece.replace(start, end, added);
    this.#history.add({ start, removed, added }, step);
    this.#tell({ start, removed: lengthOf(removed), added: lengthOf(added), origin });
  }

  /** What a person writes; typing on is a step by its pauses, unless `step` names another. */
  type(start, end, text, step = TYPING) {
    this.change(start, end, text ? [{ text, by: ME }] : [], { step, origin: TYPING });
  }

  /** Steps back once; the position behind what came back, or null when there is nothing. */
  undo() {
    return this.#apply(this.#history.undo());
  }

  redo() {
    return this.#apply(this.#history.redo());
  }

  get canUndo() {
    return this.#history.canUndo;
  }

  get canRedo() {
    return this.#history.canRedo;
  }

  #apply(edit) {
    let position = null;
    for (const { start, removed, added, spans } of edit ? steps(edit) : []) {
      this.piece.replace(start, start + removed, spans);
      this.#tell({ start, removed, added, origin: UNDO });
      position = start + added;
    }
    return position;
  }

  #tell(change) {
    for (const listener of this.#listeners) listener(change);
  }
}
