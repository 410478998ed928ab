// The seed that is shown and can be used again: that of what is being written, else of what stands at
// the caret.

import { byId } from "../dom.js";
import { ME } from "../text/piece.js";

export class Seed {
  #running = null;

  constructor(manuscript, sheet) {
    Object.assign(this, { manuscript, sheet });
    document.addEventListener("selectionchange", () => this.draw());
    manuscript.onChange(() => this.draw());
    this.draw();
  }

  /** The seed that is shown; null where no machine has written. */
  get value() {
    return this.#running ?? seedAt(this.manuscript, this.sheet.caret);
  }

  /** The seed of what is being written now; null when it is over. */
  set running(seed) {
    this.#running = seed;
    this.draw();
  }

  draw() {
    const text = this.value === null ? "none yet" : String(this.value);
    if (byId("last-seed").textContent !== text) byId("last-seed").textContent = text;
  }
}

/** The seed of the last generation that stands before a position, else of the first behind it. */
function seedAt({ piece, generations }, position) {
  let found = null;
  let at = 0;
  for (const { text, by } of piece.spans) {
    if (at >= position && found !== null) break;
    if (by !== ME) found = generations[by]?.seed ?? null;
    at += text.length;
  }
  return found;
}
