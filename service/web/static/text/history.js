// What was done to a text, to be undone and done again step by step. A step is a burst of typing, a
// generation or whatever else was asked for at once, and the law is: all steps undone give the text
// before them, all done again the text after them, and none is ever taken apart. Typing amid a
// generation is a step above it, so what the generation writes from then on is told as if it had
// been written before that typing. Pure data, no document.

import { extended, inverse, isEdit, lengthAfter, moved, steps, transposed } from "./edit.js";
import { isOneCharacter } from "./characters.js";
import { lengthOf, textOf } from "./piece.js";

export const TYPING = "typing";

const MOST_STEPS = 500;
const PAUSE_MS = 1500; // typing after such a pause is a step of its own
const KEPT = { steps: 200, characters: 200_000 }; // of each of done and undone, beyond this visit

export class History {
  #done = []; // {edit, step, end, at}: `end` is where the step last wrote, in the text that it gave
  #undone = [];

  /** As `toJSON` gave it with a text of this length; steps that do not fit that are left out. */
  constructor(kept, length) {
    this.#done = fitting(kept?.done, length, inverse);
    this.#undone = fitting(kept?.undone, length, (edit) => edit);
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Note a change {start, removed, added} of the text. Changes of one `step` are undone together. */
  add(change, step) {
    if (!change.removed.length && !change.added.length) return;
    this.#undone = [];
    const index = step === TYPING ? this.#burst(change) : this.#indexOf(step);
    if (index >= 0 && this.#join(index, change)) return;
    const end = change.start + lengthOf(change.added);
    this.#done.push({ edit: [change], step, end, at: performance.now() });
    if (this.#done.length > MOST_STEPS) this.#done.shift();
  }

  /** The edit that takes the last step back; null where there is none. */
  undo() {
    const entry = this.#done.pop();
    if (!entry) return null;
    this.#undone.push({ edit: entry.edit }); // what is added to its step later is a step of its own
    return inverse(entry.edit);
  }

  redo() {
    const entry = this.#undone.pop();
    if (!entry) return null;
    this.#done.push(entry);
    return entry.edit;
  }

  /** The numbers of those who wrote what a step may bring back. */
  get writers() {
    const hunks = [...this.#done, ...this.#undone].flatMap(({ edit }) => edit);
    return new Set(hunks.flatMap(({ removed, added }) => [...removed, ...added]).map(({ by }) => by));
  }

  toJSON() {
    return { done: latest(this.#done), undone: latest(this.#undone) };
  }

  /** The step that a change goes on with: the last one where it was typing, at that place, just now. */
  #burst({ start, removed, added }) {
    const index = this.#done.length - 1;
    const last = this.#done[index];
    if (last?.step !== TYPING || performance.now() - last.at > PAUSE_MS) return -1;
    if (added.length) return !removed.length && start === last.end && isOneCharacter(textOf(added)) ? index : -1;
    const isAtEnd = start === last.end || start + lengthOf(removed) === last.end;
    return isAtEnd && last.edit.every((hunk) => !hunk.added.length) ? index : -1;
  }

  #indexOf(step) {
    return step === undefined ? -1 : this.#done.findLastIndex((entry) => entry.step === step);
  }

  /** Put a change into a step that others may lie above. False where it cannot be told from theirs. */
  #join(index, change) {
    const above = this.#done.slice(index + 1);
    const ends = [this.#done[index].end]; // where the step would have gone on below each of them
    for (const { edit } of above) ends.push([...steps(edit)].reduce(moved, ends[ends.length - 1]));
    const edits = [];
    const places = []; // of the change, in the text that each of them gave
    let told = change;
    for (let at = above.length - 1; at >= 0; at--) {
      places[at] = told;
      const both = transposed(above[at].edit, told, ends[at]);
      if (!both) return false;
      told = both.change;
      edits[at] = both.edit;
    }
    above.forEach((entry, at) => {
      const { start, removed, added } = places[at];
      if (start < entry.end)
        entry.end = moved(entry.end, { start, removed: lengthOf(removed), added: lengthOf(added) });
      entry.edit = edits[at];
    });
    const entry = this.#done[index];
    entry.edit = extended(entry.edit, told);
    entry.end = told.start + lengthOf(told.added);
    entry.at = performance.now();
    if (!entry.edit.length) this.#done.splice(index, 1); // such as a composition that was given up
    return true;
  }
}

/** Kept edits as entries, as far as they fit a text of this length; `leaving` it one after another. */
function fitting(edits, length, leaving) {
  const entries = [];
  if (!Array.isArray(edits)) return entries;
  for (const edit of [...edits].reverse()) {
    length = isEdit(edit) ? lengthAfter(leaving(edit), length) : null;
    if (length === null) break;
    entries.unshift({ edit });
  }
  return entries;
}

/** As many of the last edits as are kept. */
function latest(entries) {
  const edits = [];
  let characters = 0;
  for (const { edit } of entries.slice(-KEPT.steps).reverse()) {
    for (const { removed, added } of edit) characters += lengthOf(removed) + lengthOf(added);
    if (characters > KEPT.characters) break;
    edits.unshift(edit);
  }
  return edits;
}
