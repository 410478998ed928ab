// What is seen of the sheet: a block for each line, a span for each writer, below a transparent
// <textarea>. A change redraws the lines that it touches, once a frame, so the length of the text
// does not matter.

import { el, oncePerFrame } from "../dom.js";
import { lengthOf, ME } from "../text/piece.js";

export class Ink {
  #lines = []; // {node, length}
  #dirty = null; // old characters [from, oldEnd) became new ones [from, oldEnd + grown)

  constructor(node, manuscript, afterDrawing) {
    this.node = node;
    this.manuscript = manuscript;
    this.draw = this.draw.bind(this);
    this.#lines = [this.#line([])];
    node.replaceChildren(this.#lines[0].node);
    this.#dirty = { from: 0, oldEnd: 0, grown: manuscript.text.length };
    this.draw();
    const later = oncePerFrame(() => {
      this.draw();
      afterDrawing();
    });
    manuscript.onChange((change) => {
      this.#soil(change);
      later();
    });
  }

  #soil({ start, removed, added }) {
    const dirty = this.#dirty;
    if (!dirty) {
      this.#dirty = { from: start, oldEnd: start + removed, grown: added - removed };
      return;
    }
    const newEnd = Math.max(dirty.oldEnd + dirty.grown, start + removed);
    dirty.from = Math.min(dirty.from, start);
    dirty.oldEnd = newEnd - dirty.grown;
    dirty.grown += added - removed;
  }

  /** Redraw what has changed. */
  draw() {
    if (!this.#dirty) return;
    const { from, oldEnd, grown } = this.#dirty;
    this.#dirty = null;
    const first = this.#lineAt(from, 0, 0);
    const last = this.#lineAt(oldEnd, first.index, first.start);
    const end = last.start + this.#lines[last.index].length + grown;
    const fresh = splitLines(this.manuscript.piece.slice(first.start, end)).map(this.#line);
    const old = this.#lines.splice(first.index, last.index - first.index + 1, ...fresh);
    old[0].node.before(...fresh.map((line) => line.node));
    for (const line of old) line.node.remove();
  }

  /** Scroll so that the line of a position is seen. */
  reveal(position) {
    this.draw();
    this.#lines[this.#lineAt(position, 0, 0).index].node.scrollIntoView({ block: "nearest" });
  }

  /** Mark the line of a position, and none for null. */
  mark(position) {
    this.draw();
    for (const { node } of this.#lines) node.classList.remove("marked");
    if (position !== null)
      this.#lines[this.#lineAt(position, 0, 0).index].node.classList.add("marked");
  }

  #lineAt(position, index, start) {
    while (index < this.#lines.length - 1 && start + this.#lines[index].length < position) {
      start += this.#lines[index].length + 1;
      index++;
    }
    return { index, start };
  }

  #line(spans) {
    const node = el("div");
    for (const { text, by } of spans) {
      node.append(el("span", { class: by === ME ? "mine" : "machine" }, text));
    }
    if (!spans.length) node.append(el("br"));
    return { node, length: lengthOf(spans) };
  }
}

/** Spans as a list of lines, each a list of spans without newlines. */
function splitLines(spans) {
  const lines = [[]];
  for (const { text, by } of spans) {
    text.split("\n").forEach((part, index) => {
      if (index > 0) lines.push([]);
      if (part) lines[lines.length - 1].push({ text: part, by });
    });
  }
  return lines;
}
