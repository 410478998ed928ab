// A place in the text and the ways in which it can go on: what a generation wrote there, what a
// retry wrote, what stood there before. Pure data, no document.
// A way is {spans, label, isOver}, and {shown} where only a part of it is worth showing; which of
// them stands in the text is found by comparing.

import { UNDO } from "./manuscript.js";
import { textOf } from "./piece.js";

export class Place {
  constructor(start, length = 0) {
    this.start = start;
    this.length = length;
    this.ways = [];
    this.again = null; // writes another way
  }

  get end() {
    return this.start + this.length;
  }

  /** The way that stands in the text; -1 when none does. */
  standing(text) {
    const here = text.slice(this.start, this.end);
    return here ? this.ways.findIndex((way) => textOf(way.spans) === here) : -1;
  }

  /** Follow a change that others made. False when the place is no longer what it was. */
  follow({ start, removed, added, origin }) {
    const end = start + removed;
    const isThisPlace = start === this.start && end === this.end;
    if (isThisPlace && origin === UNDO) this.length = added;
    else if (end <= this.start) this.start += added - removed;
    else if (start < this.end) return false;
    return true;
  }

  /** A new way, still empty. */
  addWay(by, label = String(this.ways.length + 1)) {
    const way = { spans: [], label, by, isOver: false };
    this.ways.push(way);
    return way;
  }
}

export function extend(way, text) {
  way.spans = [{ text: textOf(way.spans) + text, by: way.by }];
}
